"""A heater whose model is an FMU (`fmu_kit`): what is asked of it, and the bands of what comes."""

from gemel.bench.site import wait

ASSET = "acme/site/hall/heater-1"
SUPPLY = {"name": "warmer", "changes": [{"of": "u", "how": "add", "value": 40}]}


def answered(face, **more):
    wish = {"asset": ASSET, "scenarios": [SUPPLY], "members": 8, "horizon_s": 600, "points": 11, "uncertain": [{"of": "lag", "spread": 0.1}], **more}
    status, job = face.post("scenarios", **wish)
    assert status == 202, job
    assert wait(lambda: face.get(f"scenarios/{job['id']}")["state"] not in ("queued", "running"), 90)
    return face.get(f"scenarios/{job['id']}")


def band(job, future, quantile=2):
    result = job["result"]
    at = [w["name"] for w in result["watch"]].index("x")
    return result["futures"][future]["bands"][at][quantile]
