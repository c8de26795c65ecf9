# SPDX-License-Identifier: LGPL-2.1-or-later
"""Chromium without a screen, driven by chromedriver through the WebDriver protocol."""
import base64
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.request

DRIVER, CHROMIUM = "chromedriver", "chromium"
OPTIONS = ["headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
           "disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars"]


def is_installed():
    return bool(shutil.which(DRIVER) and shutil.which(CHROMIUM))


class Browser:
    def __init__(self, width=1400, height=1000, scale=1, dark=True):
        self.folder = tempfile.TemporaryDirectory()
        # pylint: disable-next=consider-using-with
        self.driver = subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       text=True, env={**os.environ, "HOME": self.folder.name})
        self.session = None
        for line in self.driver.stdout:
            found = re.search(r"started successfully on port (\d+)", line)
            if found:
                break
        self.url = f"http://127.0.0.1:{found[1]}/session"
        options = [*OPTIONS, f"user-data-dir={self.folder.name}/profile", f"window-size={width},{height}",
                   f"force-device-scale-factor={scale}", *(["force-dark-mode"] if dark else [])]
        chrome = {"binary": shutil.which(CHROMIUM), "args": [f"--{option}" for option in options]}
        capabilities = {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": chrome,
                                        "goog:loggingPrefs": {"browser": "ALL"}}}
        self.session = self.ask("", {"capabilities": capabilities})["sessionId"]

    def ask(self, path, data=None, method="POST"):
        url = f"{self.url}/{self.session}{path}" if self.session else self.url
        request = urllib.request.Request(url, method=method, headers={"Content-Type": "application/json"},
                                         data=json.dumps(data).encode() if data is not None else None)
        try:
            with urllib.request.urlopen(request, timeout=180) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def open(self, url):
        self.ask("/url", {"url": url})

    def reload(self):
        self.ask("/refresh", {})

    def run(self, script, *arguments):
        """What a function with this body returns."""
        return self.ask("/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, condition, *arguments, timeout=150000):
        """Waits until an expression of JavaScript is true, and returns it."""
        self.ask("/timeouts", {"script": timeout})
        script = ("const done = arguments[arguments.length - 1], args = arguments;"
                  f"(function look() {{ const value = ({condition}); value ? done(value) : setTimeout(look, 20); }})();")
        return self.ask("/execute/async", {"script": script, "args": list(arguments)})

    def read(self, element):
        return self.run("return document.getElementById(arguments[0]).textContent", element)

    def take_picture(self):
        return base64.b64decode(self.ask("/screenshot", method="GET"))

    def take_messages(self):
        """What the page, or the browser about the page, wrote to the console."""
        return [entry["message"] for entry in self.ask("/se/log", {"type": "browser"})]

    def close(self):
        try:
            if self.session:
                self.ask("", method="DELETE")
        finally:
            self.driver.terminate()
            self.driver.wait(timeout=60)
            self.driver.stdout.close()
            self.folder.cleanup()
