"""A field is added to `preprocessing` while records of the old shape lie in `preprocessed`: every row arrives."""
import pathlib
import subprocess
import tempfile

from pipeline_fixture import BINARY, READINGS, check, differences_to_expected, init_meters, look, penstock, rows

with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary) / "p"
    init_meters(folder)
    readings = (READINGS / "readings.csv").read_text().splitlines(keepends=True)
    first, second = pathlib.Path(temporary) / "first.csv", pathlib.Path(temporary) / "second.csv"
    first.write_text("".join(readings[:8001]))
    second.write_text(readings[0] + "".join(readings[8001:]))

    penstock("send", folder, "--to", "ingest", first)
    penstock("run", folder, "--stage", "preprocessing", "--until-idle")
    lag = {p["stage"]: 0 for p in look("lag", folder)["partitions"]}
    for partition in look("lag", folder)["partitions"]:
        lag[partition["stage"]] += partition["lag"]
    check(lag["preprocessing"] == 0 and lag["processing"] == 8000, "8,000 records of the old shape lie in preprocessed")

    file = folder / "pipeline.yaml"
    text = file.read_text()
    changed = text.replace("preprocessing_status: \"'Done'\"", "preprocessing_status: \"'Done'\", big: kwh > 0.1", 1)
    check(changed != text, "a field is added to preprocessing")
    file.write_text(changed)
    penstock("send", folder, "--to", "ingest", second)
    penstock("run", folder, "--until-idle")
    check(rows(folder, "select count(*) from readings") == [(16128,)], "all 16,128 rows arrived")
    check(differences_to_expected(folder) == [], "sums are as expected")
    check(look("verify", folder)["holds"], "verify adds up")
