"""Every kind of statement that the store sends, as the double saw it, read by sqlfluff's Redshift dialect.

usage: lint.py TEST_PROGRAM        run under tools/with_redshift
"""
import json
import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")

import sqlfluff  # noqa: E402

# Cases that make the store say all it can say; and all the forms of the double have to be among them.
CASES = "*by INSERT*,*report of a load*,*stands still*,*tables that do not fit*"
# Not the store's: the harness's own, and forms that nothing uses.
OTHERS = {"schema", "merge remove"}


def main():
    done = subprocess.run([sys.argv[1], f"-tc={CASES}"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit("FAILED: the test itself fails\n" + done.stdout[-2000:])
    seen = [json.loads(line) for line in pathlib.Path(os.environ["PENSTOCK_TEST_REDSHIFT_LOG"]).read_text().splitlines()]
    failures, kinds, shapes = 0, {}, set()
    for one in seen:
        # One of each shape: names of a test's own schema and numbers make no other statement.
        shape = re.sub(r'"s\d+_\d+"|\d+', "0", one["sql"])
        if one["kind"] in OTHERS or shape in shapes:
            continue
        shapes.add(shape)
        kinds[one["kind"]] = kinds.get(one["kind"], 0) + 1
        try:
            sqlfluff.parse(one["sql"], dialect="redshift")
        except sqlfluff.api.simple.APIParsingError as error:
            print(f"FAILED {one['kind']}: {str(error)[:300]}\n  {one['sql'][:600]}")
            failures += 1
    from grammar import FORMS
    missing = set(FORMS) - set(kinds) - OTHERS
    print(f"{len(shapes)} statements: {kinds}; {failures} failed; not seen: {sorted(missing)}")
    return 1 if failures or missing else 0


if __name__ == "__main__":
    sys.exit(main())
