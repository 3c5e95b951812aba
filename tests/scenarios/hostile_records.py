"""Hostile bytes become dead letters with their bytes, while good records flow and memory stays bounded."""
import json
import pathlib
import resource
import subprocess
import tempfile

from pipeline_fixture import BINARY, check, init_meters, look, penstock, rows


def varint(value):
    out, value = bytearray(), (value << 1) ^ (value >> 63)
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def reading(meter="m01", at=1767225600000, kwh=b"\x00" * 6 + b"\xf0\x3f", kvarh=b"\x00" * 8):
    return varint(len(meter)) + meter.encode() + varint(at) + kwh + kvarh


with tempfile.TemporaryDirectory() as temporary:
    folder = pathlib.Path(temporary) / "p"
    init_meters(folder)
    meter = (folder / "data" / "meters.csv").read_text().splitlines()[1].split(",")[0]
    schema = folder / "schemas" / "reading.avsc"
    framed = subprocess.run(
        [BINARY, "avro", "encode", "--schema", schema, "--framing", "single-object", "-"],
        input=json.dumps({"meter_id": meter, "at": 1767225600000, "kwh": 1.0, "kvarh": 0.0}).encode(), capture_output=True)
    header, good = framed.stdout[:10], framed.stdout
    check(framed.returncode == 0 and header[:2] == b"\xc3\x01", "avro encode frames a single object")

    hostile = {
        "a length beyond the bytes": header + varint(1 << 40) + b"x",
        "a negative length": header + varint(-5) + b"x",
        "a varint of eleven bytes": header + b"\xff" * 11,
        "a truncated record": good[:-3],
        "trailing bytes": good + b"\x00",
        "text that is not UTF-8": header + varint(2) + b"\xff\xfe" + good[10 + 1 + len(meter):],
        "an unknown fingerprint": b"\xc3\x01" + b"\x01" * 8 + good[10:],
        "no framing": good[10:],
        "nothing": b"",
        "half a header": header[:5],
        "random bytes": bytes(range(256)) * 40,
    }
    lines = [json.dumps({"key": meter})]  # a null value
    for number, value in enumerate(hostile.values()):
        lines.append(json.dumps({"key": meter, "value_hex": value.hex()}))
        at = 1767225600000 + 900000 * (number + 1)
        body = varint(len(meter)) + meter.encode() + varint(at) + good[-16:]
        lines.append(json.dumps({"key": meter, "value_hex": (header + body).hex()}))
    raw = pathlib.Path(temporary) / "raw.jsonl"
    raw.write_text("\n".join(lines) + "\n")
    file = folder / "pipeline.yaml"
    file.write_text(file.read_text().replace("stop_above: 20% over 1m", "stop_above: 100% over 1m"))

    penstock("send", folder, "--to", "ingest", "--raw", raw)
    penstock("run", folder, "--until-idle")
    letters = look("dead", folder, "-n", "-1")["letters"]
    kept = sorted(letter["value_hex"] or "" for letter in letters)
    check(kept == sorted([value.hex() for value in hostile.values()] + [""]), "each bad record is a dead letter with its bytes")
    check(all(letter["reason"] for letter in letters), "each says why")
    check(rows(folder, "select count(*) from readings") == [(len(hostile),)], "the good records between them arrived")
    check(look("verify", folder)["holds"], "verify adds up")
    peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    check(peak_mib < 300, f"memory stayed bounded ({peak_mib:.0f} MiB at most)")
