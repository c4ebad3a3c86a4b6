"""A headless chromium, steered through two pipes: the DevTools protocol as JSON texts that end in a zero byte."""

import base64
import json
import os
import select
import shutil
import subprocess
import time

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


class Browser:
    def __init__(self, folder, width=1280, height=1000):
        theirs_in, self.send_end = os.pipe()
        self.receive_end, theirs_out = os.pipe()

        # The browser reads commands from descriptor 3 and answers on 4.
        def arrange():
            first, second = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(first, 3)
            os.dup2(second, 4)

        self.process = subprocess.Popen(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe",
             f"--user-data-dir={folder}", f"--window-size={width},{height}", "about:blank"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=arrange,
            pass_fds=(3, 4))
        os.close(theirs_in)
        os.close(theirs_out)
        self.rest, self.number, self.session = b"", 0, None
        # What the page's console and its policy complained about.
        self.complaints = []
        target = next(one for one in self("Target.getTargets")["targetInfos"] if one["type"] == "page")
        self.session = self("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self(f"{domain}.enable")

    def __call__(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.send_end, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return answer["result"]
            self.note(answer)

    def receive(self, seconds=30):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.receive_end], [], [], seconds)
            assert ready, "the browser does not answer"
            piece = os.read(self.receive_end, 1 << 20)
            assert piece, "the browser ended"
            self.rest += piece
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def note(self, event):
        parameters = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(parameters["exceptionDetails"])[:500])
        if event.get("method") == "Log.entryAdded" and parameters["entry"]["source"] != "network":
            self.complaints.append(parameters["entry"]["text"])

    def open(self, address):
        self("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && document.body !== null")

    def value(self, script):
        answer = self("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, script, seconds=20):
        deadline = time.monotonic() + seconds
        while not (found := self.value(script)):
            assert time.monotonic() < deadline, (script, self.value("document.body.innerText")[-2000:], self.complaints)
            time.sleep(0.1)
        return found

    def click(self, text):
        """The button of that name, as an assistive program has it; a dialog's before the page's."""
        self.wait(f"""(() => {{
          const root = document.querySelector("dialog[open]") ?? document;
          const found = [...root.querySelectorAll("button, a")].find((one) =>
            (one.getAttribute("aria-label") ?? one.textContent).trim() === {json.dumps(text)} && !one.disabled);
          found?.click();
          return Boolean(found);
        }})()""")

    def fill(self, selector, text):
        self.wait(f"(() => {{ const one = document.querySelector({json.dumps(selector)}); if (!one) return false; "
                  f"one.focus(); one.value = {json.dumps(text)}; return true; }})()")

    def picture(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self("Page.captureScreenshot")["data"]))

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.send_end)
        os.close(self.receive_end)
