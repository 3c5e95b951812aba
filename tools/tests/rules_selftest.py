"""Plants one violation per house rule in a small repository and sees that tools/layers or tools/tidy names it; and
sees that tools/run_tests counts what passed, failed, crashed, was skipped or could not be run."""
import pathlib
import subprocess
import sys
import tempfile

TOOLS = pathlib.Path(__file__).resolve().parents[1]
CONTRACT = "// {name} — a thing.\n#pragma once\n"
LAYERS = "0  base\n1  row wire\n4  log/kafka\n5  engine\n6  ops\n"
ROOMS = "foreach(room base row wire log/kafka engine ops)\n"

# (tool, file, content, what the message must contain)
PLANTED = [
    ("layers", "src/base/a.cc", '#include "row/b.h"\n', "above it"),
    ("layers", "src/engine/a.cc", '#include "ops/b.h"\n', "room engine (level 5) includes"),
    ("layers", "src/engine/a.cc", "#include <thread>\n", "no threads, clocks"),
    ("layers", "src/row/a.cc", "#include <sys/socket.h>\n", "must not touch the world"),
    ("layers", "src/row/a.cc", '#include "wire/b.h"\n', "of the same level"),
    ("layers", "src/ops/a.cc", "#include <sqlite3.h>\n", "sqlite is included by 2 files"),
    ("layers", "src/step/a.cc", "#include <chrono>\n", "not a room"),
    ("layers", "layers.txt", LAYERS + "2  base\n", "is listed twice"),
    ("layers", "src/stray/a.cc", "\n", "this folder is not a room"),
    ("layers", "src/ops/a.h", "#include <rocksdb/db.h>\n", "a header includes the library rocksdb"),
    ("layers", "src/ops/a.cc", '#include "nowhere/b.h"\n', "names no room"),
    ("layers", "src/ops/a.cc", "#include <librdkafka/rdkafka.h>\n", "only log/kafka may"),
    ("layers", "src/ops/a_test.cc", "#include <librdkafka/rdkafka.h>\n", "only log/kafka may"),
    ("tidy", "src/base/utils.cc", "int a;\n", "says nothing"),
    ("tidy", "src/base/a.cc", "class RowManager {};\n", "says nothing"),
    ("tidy", "src/base/a.cc", "// " + "x" * 120 + "\n", "columns"),
    ("tidy", "src/base/a.cc", "// TO" + "DO later\n", "left for later"),
    ("tidy", "src/base/a.cc", "int a; \n", "blanks at the end"),
    ("tidy", "src/base/a.cc", "\tint a;\n", "a tab"),
    ("tidy", "src/base/a.cc", "int a;", "no newline"),
    ("tidy", "src/base/a.h", "#pragma once\n", "no contract"),
    ("tidy", "src/base/a.h", "// a.h — a thing.\n", "no #pragma once"),
    ("tidy", "src/base/a.cc", "int f() {\n  throw 1;\n}\n", "exception on the data path"),
    ("tidy", "src/base/a.cc", "void f() { std::cout << std::endl; }\n", "std::endl is banned"),
    ("tidy", "src/base/a.cc", "int a;\n" * 900, "lines in a file"),
    ("tidy", "src/base/a.cc", "int f() {\n" + "  g();\n" * 80 + "}\n", "a function of 82 lines"),
    ("tidy", "src/base/a_test.cc", "  std::this_thread::sleep_for(x);\n", "a sleep in a test"),
    ("tidy", "src/base/a.cc", "F::F(int a,\n     int b)\n    : a_(a),\n      b_(b) {\n" + "  g();\n" * 70 + "}\n",
     "a function of 75 lines"),
    ("tidy", "src/base/a.cc", "using namespace " + "std;\n", "using namespace std is banned"),
    ("tidy", "tests/a.sh", "sle" + "ep 3\n", "a sleep in a test"),
    ("tidy", "tests/a.py", "a = 1\n", "no test runs this script"),
    ("tidy", "tests/a.cc", "int a;\n", "no target builds this file"),
    ("tidy", "src/base/unused.h", CONTRACT.format(name="unused.h"), "no file includes this header"),
    ("tidy", "src/engine/a.cc", "int a;\n", "no target builds this file"),
    ("tidy", "docs/a.md", "as is" + "sue 3 says\n", "number of a tracker"),
    ("tidy", "docs/a.md", "see /wo" + "rk/main\n", "absolute path"),
    ("tidy", "docs/a.md", "from py" + "pi.org\n", "package registry"),
]


def run(tool, files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        room = "penstock_room(x)\n"
        clean = {"layers.txt": LAYERS, "src/CMakeLists.txt": ROOMS, "src/base/CMakeLists.txt": room,
                 "src/row/CMakeLists.txt": room, "src/ops/CMakeLists.txt": room, "src/log/kafka/CMakeLists.txt": room,
                 # Two files of its own room may include the client.
                 "src/log/kafka/a.cc": "#include <librdkafka/rdkafka.h>\n",
                 "src/log/kafka/b.cc": "#include <librdkafka/rdkafka.h>\n",
                 "src/row/b.h": CONTRACT.format(name="b.h"), "src/wire/b.h": CONTRACT.format(name="b.h"),
                 "src/ops/b.h": CONTRACT.format(name="b.h"),
                 "src/ops/b.cc": '#include "ops/b.h"\n#include "row/b.h"\n#include "wire/b.h"\n#include <sqlite3.h>\n'}
        for name, content in {**clean, **files}.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
        done = subprocess.run([TOOLS / tool, folder], capture_output=True, text=True)
        return done.returncode, done.stdout


def counts(tests):
    """What tools/run_tests makes of a build folder with these ctest lines: exit code and last line."""
    with tempfile.TemporaryDirectory() as folder:
        (pathlib.Path(folder) / "CTestTestfile.cmake").write_text(tests)
        done = subprocess.run([TOOLS / "run_tests", folder], capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines()[-1]


GOOD, BAD = 'add_test(good "true")\n', 'add_test(bad "false")\n'
CRASH = 'add_test(crash "bash" "-c" "kill -SEGV $$")\n'
SKIPPED = 'add_test(skip "bash" "-c" "exit 77")\nset_tests_properties(skip PROPERTIES SKIP_RETURN_CODE 77)\n'
COUNTED = [(GOOD, 0, "1 passed, 0 failed"), (GOOD + BAD + CRASH, 1, "1 passed, 2 failed"),
           (GOOD + SKIPPED, 0, "1 passed, 0 failed"), (SKIPPED, 1, "0 passed, 0 failed"), ("", 1, "0 passed, 0 failed"),
           (GOOD + 'add_test(missing "/nowhere/x")\n', 1, "1 passed, 1 failed")]


def main():
    failures = 0
    for tests, *expected in COUNTED:
        if (got := list(counts(tests))) != expected:
            failures += 1
            print(f"tools/run_tests: {got} instead of {expected} for\n{tests}")
    for tool in ("layers", "tidy"):
        code, text = run(tool, {"src/base/good.cc": "int f() {\n  return 1;\n}\n"})
        if code != 0:
            failures += 1
            print(f"{tool}: complains of a clean tree:\n{text}")
    for tool, name, content, expected in PLANTED:
        code, text = run(tool, {name: content})
        if code == 0 or expected not in text or "cure:" not in text:
            failures += 1
            print(f"{tool} does not notice {name!r}: {content[:60]!r}\n{text}")
    print(f"{len(PLANTED) + len(COUNTED) + 2 - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
