"""Files straight into the log of a running twin: no broker, each row once."""

import json
import subprocess
import sys

from story_kit import Face

from gemel.bench.site import running, wait

PLANT = """
plant: test/kiln
clock: data
connections: {field: {mqtt: "mqtt://127.0.0.1:9"}}
types:
  Kiln:
    source: {from: field, topic: "kiln/{signal}", path: "$.v", time: "$.t"}
    signals:
      heat: {unit: degC}
      draught: {unit: Pa}
assets:
  kiln-1: {type: Kiln}
"""


def test_files_go_straight_into_the_log_once(tmp_path):
    plant = tmp_path / "plant"
    plant.mkdir()
    (plant / "plant.yaml").write_text(PLANT)
    rows = [(f"2024-05-01T08:{i // 60:02}:{i % 60:02}Z", 900 + i, i / 4) for i in range(600)]
    file = tmp_path / "night.csv"
    file.write_text("time,heat,draught\n" + "".join(f"{t},{a},{b}\n" for t, a, b in rows))
    with running(plant, tmp_path / "data") as site:
        for _ in range(2):
            argv = [sys.executable, "-m", "gemel", "replay", str(plant), str(file), "--direct", "--data", str(tmp_path / "data"), "--json"]
            done = subprocess.run(argv, capture_output=True, text=True, timeout=180, check=True)
            told = json.loads(done.stdout.splitlines()[-1])
            assert (told["rows"], told["values"], told["acknowledged"]) == (600, 1200, 1200)
        face = Face(site.settings.port)

        def history(name):
            answer = face.get(f"history?signal=test/kiln/kiln-1/{name}&start=2024-05-01T00:00:00Z&end=2024-05-02T00:00:00Z")
            return [v for v in answer["value"] if v is not None]

        assert wait(lambda: len(history("draught")) == 600, 60)
        assert history("heat") == [a for _, a, _ in rows]
        assert history("draught") == [b for *_, b in rows]
        assert wait(lambda: all(i["duplicate"] == 600 for i in face.get("quality")["items"]), 60), "sent again is told, not stored"
