"""A twin whose nights are twenty minutes of plant time: readings are sent as fast as they are taken, and the night comes by them."""

import json
import time

from story_kit import Face, add_person, gemel

from gemel.bench.site import wait

BEGAN = 1_714_550_400  # 2024-05-01T08:00:00Z


def text(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class Nights:
    """A twin of one asset, and how far its plant's time has come."""

    def __init__(self, site, asset, columns, step_s):
        self.site, self.asset, self.columns, self.step_s = site, asset, columns, step_s
        self.face = Face(site.settings.port, add_person(site.places.data, "erna", "engineer"))
        self.at, self.nights = BEGAN, 0

    def lives(self, *columns):
        """Send what the machine reads, a column each, from where it was on."""
        times = [text(self.at + k * self.step_s) for k in range(len(columns[0]))]
        rows = [
            {"signal": f"{self.asset}/{name}", "time": at, "value": float(f"{value:.6g}")}
            for at, *values in zip(times, *columns, strict=True) for name, value in zip(self.columns, values, strict=True)
        ]  # fmt: skip
        for i in range(0, len(rows), 1000):
            status, told = self.face.post_rows(rows[i : i + 1000])
            assert status == 200, told
        self.at += len(times) * self.step_s

    def night(self):
        """Wait for the next night's word, and give it."""
        self.nights += 1
        assert wait(lambda: len(self.face.facts("ModelJudged")) >= self.nights, 240, 0.2), self.face.get("calibrations")
        return self.face.facts("ModelJudged")[self.nights - 1]["body"]

    def command(self, *words):
        return gemel(*words, "--data", self.site.places.data, timeout=240)

    def rolled_back(self, reason):
        done = self.command("calibrate", self.site.settings.plant, "--roll-back", "--reason", reason, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["version"]

    def versions(self):
        return [(v["version"], v["state"]) for v in self.face.get("releases", asset=self.asset)["items"]]

    def in_force(self):
        return next((v for v in self.face.get("releases", asset=self.asset)["items"] if v["state"] == "in_force"), None)
