"""Debian's Chromium without a window, for tests of pages: a few commands of its DevTools protocol over a pipe.

    with browser.start() as chromium:
        page = chromium.open("report.html", width=360, dark=True)
        page.evaluate("document.title")
        assert not page.errors
"""
import base64
import fcntl
import json
import os
import pathlib
import select
import shutil
import subprocess
import sys
import tempfile
import time

TIMEOUT = 120  # seconds for a command; a busy machine starts Chromium slowly


def start():
    """The browser; prints SKIPPED (see .ci/run) and ends the test where there is none."""
    program = shutil.which("chromium", path=os.environ.get("PATH", "") + ":/usr/bin")
    if program is None:
        print("SKIPPED: chromium is not installed; run ./tools/setup.sh")
        sys.exit(0)
    return Browser(program)


class Browser:
    def __init__(self, program):
        self.folder = tempfile.TemporaryDirectory()
        # Chromium reads commands from descriptor 3, and writes to 4.
        their_input, self.input = os.pipe()
        self.output, their_output = os.pipe()
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (their_input, their_output)]
        os.close(their_input)
        os.close(their_output)
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--disable-extensions", "--hide-scrollbars",
                     f"--user-data-dir={self.folder.name}", "--remote-debugging-pipe", "about:blank"]
        self.process = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{high[0]} 4>&{high[1]}', "bash", program, *arguments],
            pass_fds=high, env={**os.environ, "HOME": self.folder.name}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for fd in high:
            os.close(fd)
        self.buffer = b""
        self.events = []
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.send("Browser.close")
        except (OSError, RuntimeError):
            pass
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    def receive(self, deadline):
        while b"\0" not in self.buffer:
            if not select.select([self.output], [], [], max(0, deadline - time.time()))[0]:
                raise RuntimeError("Chromium did not answer in time")
            more = os.read(self.output, 1 << 20)
            if not more:
                raise RuntimeError("Chromium has ended")
            self.buffer += more
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def send(self, method, session=None, **parameters):
        """The result of a command; what else arrives is kept in `events`."""
        self.count += 1
        command = {"id": self.count, "method": method, "params": parameters}
        if session:
            command["sessionId"] = session
        os.write(self.input, json.dumps(command).encode() + b"\0")
        deadline = time.time() + TIMEOUT
        while True:
            answer = self.receive(deadline)
            if answer.get("id") != self.count:
                self.events.append(answer)
            elif "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']}")
            else:
                return answer["result"]

    def cpu_seconds(self):
        """What all processes of the browser have computed so far; unlike the time, it does not grow with other load."""
        return sum(process["cpuTime"] for process in self.send("SystemInfo.getProcessInfo")["processInfo"])

    def open(self, path, width=1200, height=900, dark=False):
        return Page(self, pathlib.Path(path).resolve().as_uri(), width, height, dark)


class Page:
    """A page that has been loaded, and drawn once."""

    def __init__(self, browser, url, width, height, dark):
        self.browser = browser
        target = browser.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 700)
        self.send("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        begun, computed = time.time(), browser.cpu_seconds()
        self.send("Page.navigate", url=url)
        deadline = begun + TIMEOUT
        while not any(e["method"] == "Page.loadEventFired" and e.get("sessionId") == self.session
                      for e in browser.events):
            browser.events.append(browser.receive(deadline))
        self.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        self.seconds = time.time() - begun
        self.cpu_seconds = browser.cpu_seconds() - computed

    def send(self, method, **parameters):
        return self.browser.send(method, self.session, **parameters)

    def evaluate(self, expression):
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    @property
    def errors(self):
        """What a developer would see in red on the console, and requests to anywhere but the file itself."""
        found = []
        for event in self.browser.events:
            if event.get("sessionId") != self.session:
                continue
            method, parameters = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                found.append(json.dumps(parameters["exceptionDetails"]))
            elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "assert", "warning"):
                found.append(json.dumps(parameters["args"]))
            elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                found.append(json.dumps(parameters["entry"]))
            elif method == "Network.requestWillBeSent":
                url = parameters["request"]["url"]
                if not url.startswith(("file:", "data:", "about:")):
                    found.append("request to " + url)
        return found

    def centre(self, selector, index=0):
        """Scrolls an element into view; returns the centre of it."""
        return self.evaluate(f"""(() => {{
          const element = document.querySelectorAll({json.dumps(selector)})[{index}];
          element.scrollIntoView({{ block: "center" }});
          const box = element.getBoundingClientRect();
          return [box.left + box.width / 2, box.top + box.height / 2];
        }})()""")

    def mouse(self, kind, x, y):
        """kind: mouseMoved, mousePressed or mouseReleased."""
        button = "none" if kind == "mouseMoved" else "left"
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=1)

    def click(self, selector, index=0):
        x, y = self.centre(selector, index)
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.mouse(kind, x, y)

    def key(self, key):
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                      windowsVirtualKeyCode={"Escape": 27, "ArrowRight": 39}.get(key, 0))

    def screenshot(self, path, whole=False):
        image = self.send("Page.captureScreenshot", captureBeyondViewport=whole)["data"]
        pathlib.Path(path).write_bytes(base64.b64decode(image))


def check_everywhere(browser, path):
    """No errors, no sideways scrolling and readable colours: at a desk, on a phone, in the dark."""
    for width, dark in ((1200, False), (1200, True), (360, False), (360, True)):
        page = browser.open(path, width=width, dark=dark)
        where = f"{path}, {width} pixels, {'dark' if dark else 'light'}"
        assert not page.errors, (where, page.errors)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{where}: {wide} pixels wide"
        brightness = "((c) => c.match(/\\d+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0) / 3)"
        back = page.evaluate(brightness + "(getComputedStyle(document.body).backgroundColor)")
        text = page.evaluate(brightness + "(getComputedStyle(document.body).color)")
        assert (back < 80 and text > 170) if dark else (back > 200 and text < 80), (where, back, text)
