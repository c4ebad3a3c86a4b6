"""Code of a Dagster location: a job whose op `headrace` takes what a policy sends."""

import dagster


@dagster.op(config_schema={
    "retraining": str, "policy": str, "model": str, "dataset": str, "dataset_hash": str, "label": str})
def headrace(context):
    context.log.info(str(context.op_config))


@dagster.job
def train():
    headrace()


definitions = dagster.Definitions(jobs=[train])
