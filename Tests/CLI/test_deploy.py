"""What deploy/ starts is something that the program knows: commands, flags, ports, environment."""

import pathlib
import re
import shlex

import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
PORT = "6566"


def compose_commands():
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return {name: service["command"] for name, service in services.items() if service["image"] == "headrace"}


def unit_command(name):
    line = re.search(r"(?m)^ExecStart=(.*)$", (DEPLOY / name).read_text())[1]
    program, *arguments = shlex.split(line)
    assert program.endswith("/headrace")
    return arguments


def image_command():
    return yaml.safe_load(re.search(r"(?m)^CMD (\[.*\])$", (DEPLOY / "Dockerfile").read_text())[1])


COMMANDS = {
    **compose_commands(),
    "image": image_command(),
    "broker unit": unit_command("headrace-broker.service"),
    "worker unit": unit_command("headrace-worker.service"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_flag_is_one_of_the_command(cli, name):
    arguments = COMMANDS[name]
    words = [word for word in arguments if not word.startswith("-")]
    depth = 2 if words[0] in ("topics", "generate") else 1
    text = cli(*words[:depth], "--help").text
    for flag in filter(lambda word: word.startswith("--"), arguments):
        assert re.search(rf"(?<!\S){re.escape(flag)}(?![\w-])", text), f"{' '.join(words[:depth])} has no {flag}"


def test_ports_are_the_default_of_the_server(cli):
    assert f"127.0.0.1:{PORT}" in cli("run", "--help").text
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert services["headrace"]["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    assert f"EXPOSE {PORT}" in (DEPLOY / "Dockerfile").read_text()
    targets = yaml.safe_load((DEPLOY / "prometheus.yaml").read_text())["scrape_configs"][0]["static_configs"][0]
    assert targets["targets"] == [f"headrace:{PORT}"]


def test_topologies_and_the_topics_that_compose_makes(cli):
    plan = cli("plan", ROOT / "topologies" / "payments.yaml", "--offline", "--output", "json").json
    topics = {source["topic"] for source in plan["sources"]}
    made = COMMANDS["topics"]
    assert made[:2] == ["topics", "create"] and made[2] in topics


def test_environment_is_what_the_options_read():
    source = "".join(path.read_text() for path in (ROOT / "Sources" / "headrace").rglob("*.swift"))
    names = set()
    for path in [DEPLOY / "compose.yaml", DEPLOY / "headrace-worker.service"]:
        names |= set(re.findall(r"HEADRACE_([A-Z_]+)", path.read_text()))
    assert names and all(f'Environment["{name}"]' in source for name in names), names


def test_the_image_installs_what_the_program_links():
    text = (DEPLOY / "Dockerfile").read_text()
    setup = (ROOT / "scripts" / "setup").read_text()
    for package in re.search(r'(?m)^libraries="(.*)"$', setup)[1].split():
        assert package in text, package
    assert "USER headrace" in text


def rules():
    groups = yaml.safe_load((DEPLOY / "prometheus" / "headrace.rules.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_alerts_ask_for_metrics_that_there_are():
    source = "".join(path.read_text() for path in (ROOT / "Sources" / "Serving").rglob("*.swift"))
    families = dict(re.findall(r'family\(\s*"(\w+)",\s*\.(gauge|counter|histogram)', source))
    known = {f"{name}_total" if kind == "counter" else name for name, kind in families.items()}
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    for rule in rules():
        asked = set(re.findall(r"\b(?:headrace|kafka)[\w:]+", rule["expr"]))
        assert asked <= known | recorded, (rule, asked - known - recorded)


def test_limits_in_the_alerts_are_those_that_are_declared():
    """Limits are no metrics: what the rules say once more must be what the files say."""
    monitors = yaml.safe_load((ROOT / "topologies" / "flights.yaml").read_text())["monitors"]
    declared = {(name, metric): bounds["min"] for name, monitor in monitors.items()
                for metric, bounds in monitor["performance"].items() if "min" in bounds}
    said = {(rule["labels"]["monitor"], rule["labels"]["metric"]): rule["expr"] for rule in rules()
            if rule.get("record") == "headrace:model_performance:minimum"}
    assert said == {place: f"vector({limit})" for place, limit in declared.items()}
    prices = yaml.safe_load((DEPLOY / "prices.yaml").read_text())
    declared = {(budget["name"], prices["currency"]): budget["amount"] for budget in prices["budgets"]
                if budget["per"] == "day" and budget["scope"] == "total"}
    said = {(rule["labels"]["budget"], rule["labels"]["currency"]): rule["expr"] for rule in rules()
            if rule.get("record") == "headrace:budget:per_day"}
    assert said == {place: f"vector({amount})" for place, amount in declared.items()}
