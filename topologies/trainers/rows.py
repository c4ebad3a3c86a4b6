"""What trainers in Python have in common: reading what Headrace hands over, and telling it how things go."""

import json

import numpy
import pyarrow
import pyarrow.parquet


def say(**message):
    print(json.dumps(message), flush=True)


def read(dataset, manifest, part):
    """The features of a part as float32, in the model's order, missing values as NaN; and its labels."""
    table = pyarrow.parquet.read_table(f"{dataset}/{manifest['parts'][part]['file']}")
    columns = []
    for name in manifest["features"]:
        column = table[name]
        if pyarrow.types.is_boolean(column.type):
            column = column.cast(pyarrow.int8())
        columns.append(column.cast(pyarrow.float64(), safe=False).to_numpy(zero_copy_only=False))
    return numpy.column_stack(columns).astype(numpy.float32), table[manifest["label"]].to_numpy()
