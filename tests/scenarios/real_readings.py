"""The main job with real readings: 16,128 of them from a csv file into SQLite, sums as expected, twice without change."""
import pathlib
import tempfile

from pipeline_fixture import READINGS, check, differences_to_expected, init_meters, look, penstock, rows

with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary) / "p"
    init_meters(folder)
    penstock("send", folder, "--to", "ingest", READINGS / "readings.csv")
    penstock("run", folder, "--until-idle")
    check(not list((folder / ".penstock" / "stores").glob("*-wal")), "after the drain each store is one file, to be copied as it is")
    check(rows(folder, "select count(*) from readings") == [(16128,)], "16,128 rows in the warehouse")
    check(differences_to_expected(folder) == [], "sums, peaks and counts per meter and day are those of expected.csv")
    verified = look("verify", folder)
    check(verified["holds"], "verify adds up")
    check(look("lag", folder)["lag"] == 0, "nothing is left to read")

    before = rows(folder, "select * from readings order by meter_id, at")
    penstock("send", folder, "--to", "ingest", READINGS / "readings.csv", expect=64)
    check(True, "the same file again is refused as already sent")
    penstock("send", folder, "--to", "ingest", "--again", READINGS / "readings.csv")
    penstock("run", folder, "--until-idle")
    check(rows(folder, "select * from readings order by meter_id, at") == before, "--again changes no row")
    check(look("verify", folder)["holds"], "verify still adds up")
    fates = [s["fates"] for s in look("status", folder)["stages"] if s["stage"] == "preprocessing"]
    check(sum(f["absorbed"] for f in fates) == 16128, "unique absorbed every reading of the second time")
    check(sum(s["fates"]["in"] for s in look("status", folder)["stages"] if s["stage"] == "preprocessing") == 32256,
          "both times every reading was read")

    lines = (READINGS / "readings.csv").read_text().splitlines()[:4]
    torn = pathlib.Path(temporary) / "torn.csv"
    torn.write_text("\n".join([*lines, lines[1].rsplit(",", 1)[0], lines[2].replace(",", ",x", 1)]) + "\n")
    sent = penstock("send", folder, "--to", "ingest", "--skip-bad", torn)
    check("5 rows are in ingest, but for the 2 above" in sent, "--skip-bad says how many rows were left out")
