"""What people do to retrainings: ask for them wrongly, call them off, look at them as programs do."""

import json
import os
import signal
import time
import urllib.request


def get(shop, path):
    with urllib.request.urlopen(f"http://{shop.http}{path}", timeout=10) as answer:
        return json.load(answer)


def working(shop):
    """Processes that work for a retraining."""
    found = []
    for task in os.listdir(f"/proc/{shop.process.pid}/task"):
        try:
            children = open(f"/proc/{shop.process.pid}/task/{task}/children").read().split()
        except FileNotFoundError:
            # The thread has ended meanwhile.
            continue
        for child in children:
            try:
                if "\0work\0" in open(f"/proc/{child}/cmdline").read():
                    found.append(int(child))
            except FileNotFoundError:
                pass
    return found


def test_a_retraining_is_called_off_while_it_works(project):
    shop = project()
    shop.start()
    shop.champion()
    shop.publish(50, "before")
    future = shop.call("retrain", "again", "--until", "2099-01-01", code=2)
    assert b"future" in future.stderr and b"headrace retrain open" in future.stderr, future.stderr
    wrong = shop.call("retrain", "again", "--until", "yesterday", code=2)
    assert b"expected a date" in wrong.stderr and b"headrace retrain open" in wrong.stderr, wrong.stderr

    # The archive does not reach so far yet: the work waits for what may be on its way.
    shop.call("retrain", "again", "--until", "2024-01-01", "--reason", "to see", "--by", "ada")
    work = shop.wait("the work begins", lambda: working(shop))
    # Ctrl-C on the terminal goes to a group: the work is not of ours.
    assert os.getpgid(work[0]) != os.getpgid(shop.process.pid)
    # Whoever stops it from outside has not made it fail.
    os.kill(work[0], signal.SIGTERM)
    shop.wait("it begins again", lambda: set(working(shop)) - set(work))

    name = shop.retrainings()[0]["id"]
    said = shop.call("retrain", "cancel", name, "--by", "bob", "--reason", "enough").stdout
    assert said == f"{name}: stopped\n".encode()
    one = shop.ended()[0]
    assert one["step"] == "stopped" and one["steps"][-1]["note"] == "cancelled by bob: enough", one
    assert not (shop.data / "retrainings" / name / "dataset.failures").exists()
    shop.wait("its work ends", lambda: not working(shop))
    over = shop.call("retrain", "cancel", name, code=1)
    assert b"RETRAINING_OVER" in over.stderr, over.stderr
    assert b"RETRAINING_NOT_FOUND" in shop.call("retrain", "show", "nobody", code=1).stderr

    # The command line says what HTTP says.
    assert one == get(shop, f"/api/retrainings/{name}") == shop.records("retrain", "show", name)[0]


def test_whoever_stood_still_goes_on(project):
    """Ctrl-Z, or a laptop that slept: log and worker wake up at the same moment, and the group has given up the worker."""
    shop = project()
    shop.start()
    shop.publish(100, "before")
    for _ in range(2):
        os.kill(shop.process.pid, signal.SIGSTOP)
        time.sleep(13)
        os.kill(shop.process.pid, signal.SIGCONT)
        shop.publish(100, "before")
        shop.wait("it reads on", lambda: applied(shop) >= shop.next, 40)


def applied(shop):
    inputs = [part for task in get(shop, "/api/tasks")["tasks"] for part in task["inputs"]]
    return sum(part["position"] for part in inputs if part["topic"] == "payments")
