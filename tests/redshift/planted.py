"""Does the store's contract notice a client that does not know Redshift? The double makes one, and the contract test has to fail.

usage: planted.py TEST_PROGRAM        run under tools/with_redshift
"""
import os
import subprocess
import sys

PLANTED = ("on_conflict", "key_relied", "position_outside", "undeduplicated")


def main():
    failures = 0
    for name, way in ((name, way) for name in PLANTED for way in ("COPY", "the Data API")):
        done = subprocess.run([sys.argv[1], f"-tc=*redshift? by {way}*", "--abort-after=3"], capture_output=True, text=True,
                              env={**os.environ, "PENSTOCK_TEST_REDSHIFT_PLANTED": name, "PENSTOCK_TEST_REDSHIFT_ALL": "1"}, check=False)
        logged = [line.strip() for line in done.stdout.splitlines() if "logged:" in line]
        found = done.returncode != 0 and bool(logged)
        print(f"{'ok    ' if found else 'FAILED'} {name}, by {way}: {logged[:3]}")
        failures += not found
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
