"""The console in the browser, and who may decide over HTTP: every address that the page calls, every field that it reads."""

import copy
import json
import re
import time
import types
import urllib.error
import urllib.request
import uuid

import pytest
from browser import CHROMIUM, Browser
from conftest import CLI, ROOT, Broker
from kafka import KafkaProducer
from test_monitors import Project, stream
from test_worker import Worker

PAGE = ROOT / "Sources" / "CConsole" / "page"
NOW = int(time.time() * 1000)
LINEAGE = {
    "run_id": "r1", "dataset_manifest_hash": "d" * 64, "dataset_place": "s3://lake/datasets/fraud/1", "data_versions": [],
    "service_name": "payments_v1", "service_version": "f00d", "code_revision": "c0de",
    "metrics": [{"name": "auc", "value": 0.81, "low": 0.8, "high": 0.82}], "fetched_from": "",
}
# What text from outside may look like.
HOSTILE = '<img src=x onerror="document.title=\'owned\'">'
# Fields that a calm process has nothing for; everything else that the contract names must have come at least once.
QUIET = re.compile(
    r"^(session\.reason|views\..*ttl_seconds|tasks\..*(why_not_moving|building|last_failure)|ready\.(failure|not_)"
    r"|usefulness\..*(limit|kept)|monitors\..*performance\[\]\.max|explain\..*(repaired|late)"
    r"|running\.(trouble|rollouts|models\[\]\.(use|version|challenger|share|shadows))"
    r"|history\.alarms\[\]\.(muted_by|producers)|model\.served\[\]\.(share_per_mille|verdict)|retrainings\[\]\.lease"
    r"|cost\.(unpriced|advice)|features\.headrace\.watermark)"
)


def contract(text=None):
    """The list that the page itself uses: JSON behind `export const contract =`."""
    text = (PAGE / "contract.js").read_text() if text is None else text
    return json.loads(text[text.index("export const contract = ") + len("export const contract = "):].rstrip().rstrip(";"))


def check(value, shape, place, seen):
    """What the page does with an answer (`take` in server.js), as assertions; notes which fields had a value."""
    if isinstance(shape, str):
        kind = shape.rstrip("?")
        if value is None and (shape.endswith("?") or kind == "any"):
            return
        expected = {"string": str, "number": (int, float), "boolean": bool, "any": object}[kind]
        assert isinstance(value, expected) and (kind != "number" or not isinstance(value, bool)), (place, value)
        seen.add(place)
    elif isinstance(shape, list):
        assert isinstance(value, list), (place, value)
        for element in value:
            check(element, shape[0], f"{place}[]", seen)
    else:
        assert isinstance(value, dict), (place, value)
        for key, inner in shape.items():
            if key == "*":
                for element in value.values():
                    check(element, inner, f"{place}.*", seen)
            elif key.endswith("?"):
                if value.get(key[:-1]) is not None:
                    check(value[key[:-1]], inner, f"{place}.{key[:-1]}", seen)
            else:
                assert key in value or (isinstance(inner, str) and inner.endswith("?")) or inner == "any", (place, key)
                check(value.get(key), inner, f"{place}.{key}", seen)


def leaves(shape, place):
    if isinstance(shape, str):
        return {place}
    if isinstance(shape, list):
        return leaves(shape[0], f"{place}[]")
    return {leaf for key, inner in shape.items() for leaf in leaves(inner, f"{place}.{key.rstrip('?')}")}


class Site:
    """A process with a model, alarms, versions, an approval and a retraining; three people with tokens."""

    def __init__(self, folder):
        self.broker = Broker(folder)
        self.cli = CLI(self.broker.address)
        self.access = folder / "access.yaml"
        self.tokens, lines = {}, []
        for name, roles in (("ada", "operator"), ("bob", "approver"), ("eve", "viewer")):
            made = self.cli("access", "token", name, "--roles", roles, "--output", "json").json
            self.tokens[name] = made["token"]
            lines.append(f"  - {json.dumps(made['principal'])}\n")
        self.lines = lines
        self.grant("".join(lines))
        self.project = Project(self.cli, folder, "site")
        payments, outcomes = stream(shift=True)
        # Somebody with an event in the newest window.
        self.user = payments[-1]["user"]
        self.worker = self.project.start("--access", self.access, "--prices", ROOT / "deploy" / "prices.yaml")
        self.address = self.worker.address
        # Known when they happened, so that explanations of that time have them.
        lines = "".join(json.dumps(row) + "\n" for row in payments).encode()
        self.cli.publish("site.payments", "-", "--key", "user", "--event-time", "ts", stdin=lines)
        self.project.publish("outcomes", outcomes)
        self.project.wait_for(self.worker, "alarm", 1)
        self.producer = KafkaProducer(bootstrap_servers=self.broker.address)
        self.fill()
        self.wait(lambda: self.get("/api/approvals") and self.get("/api/monitors/site_watch")["alarms"])

    def grant(self, principals, more=""):
        self.access.write_text(f"{more}principals:\n{principals}")

    def control(self, kind, **members):
        body = {"kind": kind, "id": uuid.uuid4().hex, "actor": members.pop("actor", "ada"), "reason": HOSTILE, **members}
        self.producer.send(
            "headrace.control", value=json.dumps(body).encode(), key=b"k", headers=[("headrace-kind", b"registry")],
            partition=0).get(10)

    def fill(self):
        origin = {key: LINEAGE[key] for key in LINEAGE if key not in ("run_id", "metrics", "fetched_from")}
        self.control("start_run", run={
            "id": "r1", "experiment": "nightly", "model": "fraud", "trainer": "xgboost", "started_by": "ada", "parameters": [],
            **origin})
        self.control("finish_run", run_id="r1", status="finished", metrics=LINEAGE["metrics"], artefacts=[], error=None)
        for version in (1, 2, 3):
            self.control(
                "add_version", model="fraud", version=version, content_hash=f"{version}" * 64, format="lightgbm",
                summary="3 trees", feature_count=2, feature_names=["n_1m", "amount"], output_count=1, added_at_ms=NOW,
                added_by="ada", note=HOSTILE, lineage=LINEAGE)
        self.control("set_alias", model="fraud", alias="champion", version=1, expected=None)
        self.control("set_alias", model="fraud", alias="champion", version=2, expected=1)
        for name, asker in (("q1", "ada"), ("q2", "bob"), ("q3", "ada")):
            self.control("request_approval", approval={
                "id": name, "model": "fraud", "version": {"q1": 1, "q2": 3, "q3": 3}[name], "requested_by": asker,
                "alias": "champion" if name != "q3" else "challenger", "reason": HOSTILE,
                "evidence": json.dumps({"gates": [{"gate": "auc", "found": HOSTILE, "holds": True}], "auc": 0.8}),
                "expires_at_ms": NOW + 86_400_000})
        self.control("decide_approval", actor="bob", approval_id="q3", verdict="approved")
        self.control("open_retraining", retraining={
            "id": "t1", "policy": "site.weekly", "model": "fraud", "cause": json.dumps({"trigger": "drift(site_watch)"}),
            "opened_by": "policy", "at_ms": NOW})
        self.control(
            "advance_retraining", retraining_id="t1", **{"from": "dataset", "to": "train"}, note=HOSTILE,
            evidence=json.dumps({"rows": 6_000, "from_ms": NOW}))

    def wait(self, condition, seconds=40):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.worker.text()[-2000:]
            time.sleep(0.1)

    def get(self, path):
        status, answer = self.ask(path)
        assert status == 200, (path, status, answer)
        return answer

    def ask(self, path, body=None, token=None, headers=None, content="application/json"):
        sent = {"Content-Type": content, **(headers or {})}
        if token:
            sent["Authorization"] = f"Bearer {self.tokens.get(token, token)}"
        request = urllib.request.Request(
            f"http://{self.address}{path}", None if body is None else json.dumps(body).encode(), sent)
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def stop(self):
        self.producer.close()
        code = self.worker.stop()
        self.broker.stop()
        return code


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"))
    yield site
    assert site.stop() == 0


def test_every_address_and_field_that_the_page_reads(site):
    seen, missing = set(), set()
    read = {"features": ["by_user:n_1m"], "entities": {"user": [site.user]}, "as_of": "latest", "full_feature_names": True}
    at = site.ask("/get-online-features", read)[1]["headrace"]["read_at"]
    paths = {"model": "fraud", "monitor": "site_watch", "view": "by_user"}
    names = contract()
    for name, route in names.items():
        if route.get("role"):
            continue
        path = re.sub(r"\{(\w+)\}", lambda match: paths[match[1]], route["path"])
        query = f"?key={site.user}&at={at}" if name == "explain" else ""
        if name == "explain":
            # The archive comes some seconds behind the stream.
            site.wait(lambda: site.ask(path + query)[1].get("records", 0) > 0)  # noqa: B023
        status, answer = site.ask(path + query, read if name == "features" else None)
        assert status in route.get("statuses", [200]), (name, status, answer)
        check(answer, route["answer"], name, seen)
        missing |= leaves(route["answer"], name)
    status, answer = site.ask("/api/session", token="ada")
    check(answer, names["session"]["answer"], "session", seen)
    unseen = sorted(place for place in missing - seen if not QUIET.match(place))
    assert not unseen, unseen


def test_the_check_can_fail():
    routes = contract()
    answer = {"mode": "local", "reading": "open", "principal": None, "roles": [], "reason": None}
    shape = routes["session"]["answer"]
    check(answer, shape, "session", set())
    for change in ({"mode": None}, {"roles": "viewer"}, {"roles": [1]}):
        with pytest.raises(AssertionError):
            check({**answer, **change}, shape, "session", set())
    wider = copy.deepcopy(shape) | {"shoe_size": "number"}
    with pytest.raises(AssertionError):
        check(answer, wider, "session", set())


def test_the_page_calls_what_the_contract_names_and_nothing_else():
    names = contract()
    for file in PAGE.glob("*.js"):
        text = file.read_text()
        assert ("fetch(" in text) == (file.name == "server.js"), file.name
        for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "XMLHttpRequest", "style="):
            assert word not in text, (file.name, word)
        for name in re.findall(r"(?:\.call|\.optional|[^.\w]call)\(\"(\w+)\"", text) + re.findall(r"route: \"(\w+)\"", text):
            assert name in names, (file.name, name)
    used = "".join(file.read_text() for file in PAGE.glob("*.js") if file.name != "contract.js")
    assert all(f'"{name}"' in used for name in names), [name for name in names if f'"{name}"' not in used]


def test_the_files_come_from_the_program_with_a_strict_policy(site):
    for path in ["/", *(f"/console/{file.name}" for file in PAGE.iterdir() if file.name != "index.html")]:
        with urllib.request.urlopen(f"http://{site.address}{path}", timeout=10) as answer:
            name = path.rsplit("/", 1)[-1] or "index.html"
            assert answer.read() == (PAGE / name).read_bytes()
            policy = answer.headers["content-security-policy"]
            assert policy.startswith("default-src 'self';") and "unsafe" not in policy and "trusted-types 'none'" in policy
    with urllib.request.urlopen(f"http://{site.address}/api/retrainings/t1/evidence", timeout=10) as answer:
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_roles_and_separation_of_duties(site):
    approve, promote = "/api/approvals/q1/approve", "/api/models/fraud/aliases/champion/promote"
    acknowledge = "/api/monitors/site_watch/acknowledge"
    yes, move = {"reason": "seen"}, {"version": 3, "expected": 2, "reason": "better"}
    assert site.ask(approve, yes)[0] == 401 and site.ask(promote, move)[0] == 401
    for token in ("hr_" + "0" * 64, site.tokens["ada"][:-1], ""):
        assert site.ask(approve, yes, headers={"Authorization": f"Bearer {token}"})[1]["code"] == "TOKEN_REFUSED"
    for token in ("eve", "ada"):
        assert site.ask(approve, yes, token)[1]["code"] == "ROLE_MISSING"
    for token in ("eve", "bob"):
        assert site.ask(promote, move, token)[1]["code"] == "ROLE_MISSING"
        assert site.ask(acknowledge, yes, token)[1]["code"] == "ROLE_MISSING"
    # Nobody speaks for somebody else; who asked does not decide, whatever the body says.
    assert site.ask(approve, {**yes, "by": "carl"}, "bob")[1]["code"] == "ACTOR_DIFFERS"
    status, answer = site.ask("/api/approvals/q2/approve", yes, "bob")
    assert (status, answer["code"]) == (403, "APPROVAL_OWN_REQUEST")
    status, answer = site.ask("/api/approvals/q2/approve", {**yes, "by": "carl"}, "bob")
    assert (status, answer["code"]) == (403, "ACTOR_DIFFERS")
    check_decision(site, "reject", "/api/approvals/q1/reject", {"reason": "not yet"}, "bob")
    assert site.get("/api/approvals/q1")["decided"]["by"] == "bob"
    for route, path, body in (
        ("acknowledge", acknowledge, {"reason": "a new price list", "at": NOW}),
        ("silence", "/api/monitors/site_watch/silence", {"feature": "amount", "until": NOW + 10**9, "reason": "sale"}),
    ):
        check_decision(site, route, path, body, "ada")
        assert site.ask(path, {**body, "reason": ""}, "ada")[0] == 422
    assert site.ask("/api/monitors/site_witch/acknowledge", yes, "ada")[1]["code"] == "MONITOR_NOT_FOUND"
    told = [json.loads(value) for value in site.cli.values("headrace.control") if b'"action"' in value]
    assert [(one["action"], one["by"]) for one in told] == [("acknowledge", "ada"), ("silence", "ada")]


def check_decision(site, route, path, body, token):
    status, answer = site.ask(path, body, token)
    assert status == 200, answer
    check(answer, contract()[route]["answer"], route, set())
    assert answer["by"] == token


def test_promote_and_roll_back(site):
    path = "/api/models/fraud/aliases/champion"
    # A version whose file is not there, or that does not fit, is another matter: these fit by their descriptions.
    current = site.get("/api/models/fraud")["aliases"]["champion"]
    assert site.ask(f"{path}/promote", {"version": 3, "expected": 1, "reason": "r"}, "ada")[1]["code"] == "ALIAS_OVERTAKEN"
    check_decision(site, "promote", f"{path}/promote", {"version": 3, "expected": current, "reason": "r"}, "ada")
    site.wait(lambda: site.get("/api/models/fraud")["aliases"]["champion"] == 3)
    assert site.get("/api/models/fraud")["history"][-1]["by"] == "ada"
    check_decision(site, "rollback", f"{path}/rollback", {"expected": 3, "reason": "worse"}, "ada")
    site.wait(lambda: site.get("/api/models/fraud")["aliases"]["champion"] == current)
    assert site.ask(f"{path}/promote", {"version": 9, "reason": "r"}, "ada")[0] == 404


def test_foreign_pages_and_names_decide_nothing(site):
    path, body = "/api/models/fraud/aliases/champion/promote", {"version": 1, "reason": "r"}
    for headers, content, status, code in (
        ({"Origin": "http://evil.example"}, "application/json", 403, "CROSS_ORIGIN"),
        ({"Origin": "null"}, "application/json", 403, "CROSS_ORIGIN"),
        ({"Host": "evil.example"}, "application/json", 403, "HOST_UNKNOWN"),
        ({"Host": "evil.example", "Origin": "http://evil.example"}, "application/json", 403, "HOST_UNKNOWN"),
        ({}, "text/plain", 415, "WRONG_CONTENT_TYPE"), ({}, "application/x-www-form-urlencoded", 415, "WRONG_CONTENT_TYPE"),
    ):
        answer = site.ask(path, body, "ada", headers, content)
        assert (answer[0], answer[1]["code"]) == (status, code), answer
    assert site.get("/api/models/fraud")["history"][-1]["version"] != 1


def test_the_file_is_read_again_and_its_tokens_are_nowhere(site):
    try:
        site.grant("".join(site.lines), "reading: token\n")
        site.wait(lambda: site.ask("/api/tasks")[0] == 401)
        assert site.ask("/api/tasks", token="eve")[0] == 200 and site.ask("/api/session")[0] == 200
        refused = site.cli("query", "by_user", "u1", "--server", site.address, code=1)
        assert "LOGIN_NEEDED" in refused.err or "token" in refused.err
        token = site.access.with_name("eve.token")
        token.write_text(site.tokens["eve"] + "\n")
        assert "n_1m" in site.cli("query", "by_user", "u1", "--server", site.address, "--token-file", token).text
        # What cannot be read changes nothing.
        site.access.write_text("principals: {")
        site.wait(lambda: site.ask("/api/session") and "YAML_INVALID" in site.worker.text())
        assert site.ask("/api/tasks", token="eve")[0] == 200
        site.grant("".join(site.lines[:2]))
        site.wait(lambda: site.ask("/api/tasks")[0] == 200)
        assert site.ask("/api/session", token="eve")[0] == 401
    finally:
        site.grant("".join(site.lines))
        site.wait(lambda: site.ask("/api/session", token="eve")[0] == 200)
    for token in site.tokens.values():
        assert token not in site.worker.text()


def test_without_a_file_only_loopback_decides(site, tmp_path):
    worker = Worker(site.cli, tmp_path, "serve", "--data", tmp_path / "models")
    try:
        with urllib.request.urlopen(f"http://{worker.address}/", timeout=10) as answer:
            assert b"Headrace" in answer.read()
        assert worker.get("/api/session")["mode"] == "local"
        port = worker.address.rsplit(":", 1)[1]
        asked = types.SimpleNamespace(address=f"127.0.0.1:{port}", tokens={})
        status, answer = Site.ask(asked, "/api/approvals/x/approve", {"by": "bob"}, headers={"X-Forwarded-For": "10.0.0.1"})
        assert (status, answer["code"]) == (403, "LOOPBACK_ONLY")
        assert Site.ask(asked, "/api/approvals/x/approve", {"by": "bob"})[0] == 404
        worker.stop()
    finally:
        worker.kill()


def test_the_access_file_is_checked(site, tmp_path):
    text = site.cli("access", "check", site.access).text
    assert "operator" in text and "approver" in text and "eve" in text
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("principals: [{name: ada, roles: [king]}]")
    assert "ACCESS_INVALID" in site.cli("access", "check", wrong, code=1).err
    refused = site.cli("serve", "--data", tmp_path / "m", "--listen", "127.0.0.1:0", "--access", wrong, code=1)
    assert "ACCESS_INVALID" in refused.err


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    assert CHROMIUM, "Debian's chromium is missing: scripts/setup --tests installs it"
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


PAGES = {
    "overview": "payments", "features?of=view:by_user&key.user=USER&at=latest": "PRESENT", "models": "Promote",
    "drift": "amount", "retraining": "Approve", "cost": "decode",
}


@pytest.mark.parametrize("page", PAGES)
def test_each_page_shows_what_the_process_says(site, browser, page):
    """It draws, stays within its policy, and takes nothing from outside for markup."""
    browser.open("about:blank")
    browser.open(f"http://{site.address}/#/{page.replace('USER', site.user)}")
    browser.wait(f"document.querySelector('main').innerText.includes({json.dumps(PAGES[page])})")
    assert browser.value("document.body.dataset.link") == "live"
    assert "as of" in browser.value("document.getElementById('freshness').innerText")
    assert browser.value("document.querySelectorAll('.notice.bad').length") == 0
    assert browser.value("document.querySelectorAll('main img, main script').length") == 0
    assert "owned" not in browser.value("document.title")
    if page in ("models", "retraining"):
        assert HOSTILE in browser.value("document.querySelector('main').textContent")
    # Without a name nobody can press a button by its sound.
    assert browser.value("[...document.querySelectorAll('button')].every((one) => (one.ariaLabel ?? one.innerText).trim())")
    assert browser.value("document.querySelectorAll('input:not([id]), select:not([id])').length") == 0
    assert browser.complaints == []


def test_a_value_is_explained_in_the_page(site, browser):
    browser.open("about:blank")
    browser.open(f"http://{site.address}/#/features?of=view:by_user&key.user={site.user}&at=latest")
    browser.click("Explain n_1m")
    browser.wait("document.getElementById('explanation')?.innerText.includes('verified')")


def test_a_version_is_approved_in_the_page(site, browser):
    """Log in with a token that may not, then with one that may; the decision is the principal's."""
    site.control("request_approval", approval={
        "id": "q9", "model": "fraud", "version": 1, "requested_by": "ada", "alias": "tested", "reason": "r",
        "evidence": "", "expires_at_ms": NOW + 86_400_000})
    site.wait(lambda: any(one["id"] == "q9" for one in site.get("/api/approvals")))
    browser.open("about:blank")
    browser.open(f"http://{site.address}/#/retraining")
    browser.wait("document.querySelector('[data-approval=q9]') !== null")
    press = "document.querySelector('[data-approval=q9][data-do=approve]').click()"
    browser.value(press)
    browser.fill("#token", "hr_wrong")
    browser.click("Log in")
    browser.wait("document.querySelector('dialog .notice')?.innerText.includes('nobody')")
    browser.fill("#token", site.tokens["eve"])
    browser.click("Log in")
    browser.wait("document.getElementById('login').innerText.includes('eve')")
    browser.wait("document.querySelector('[data-approval=q9][data-do=approve]').disabled")
    browser.value("document.getElementById('login').click()")
    browser.wait("document.getElementById('login').innerText === 'Log in'")
    browser.wait("!document.querySelector('[data-approval=q9][data-do=approve]').disabled")
    browser.value(press)
    browser.fill("#token", site.tokens["bob"])
    browser.click("Log in")
    browser.fill("#reason", "slices look right")
    browser.click("Approve")
    browser.wait("document.querySelector('[data-approval=q9]') === null")
    decided = site.get("/api/approvals/q9")["decided"]
    assert (decided["by"], decided["reason"]) == ("bob", "slices look right")
    kept = browser.value("JSON.stringify(localStorage)")
    assert site.tokens["bob"] not in kept and site.tokens["bob"] in browser.value("JSON.stringify(sessionStorage)")
    assert browser.complaints == []


def test_a_process_that_is_gone_is_told(site, browser, tmp_path):
    worker = Worker(site.cli, tmp_path, "serve", "--data", tmp_path / "models")
    try:
        browser.open("about:blank")
        browser.open(f"http://{worker.address}/#/models")
        browser.wait("document.body.dataset.link === 'live' && document.querySelector('main').innerText.includes('no models')")
        worker.stop()
        browser.wait("document.getElementById('freshness').innerText.startsWith('no answer')")
        assert "no models" in browser.value("document.querySelector('main').innerText")
    finally:
        worker.kill()
