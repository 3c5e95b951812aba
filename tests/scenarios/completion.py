#!/usr/bin/env python3
"""`penstock completion`: what bash, zsh and fish themselves offer behind the words so far; bash is always here, the others
where they are installed."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from pipeline_fixture import check, penstock  # noqa: E402

BINARY = os.environ["PENSTOCK_BINARY"]
BASH = r"""
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _penstock; printf '%s\n' "${COMPREPLY[@]}"
"""
# What the function asks of zsh's own completion, as words a line.
ZSH = r"""
compdef() { :; }
_describe() { local name=${@[-1]}; print -l -- ${${(P)name}%%:*}; }
_files() { print -l -- *(N); }
compadd() { if [[ $1 == -a ]]; then print -l -- ${(P)2}; else shift; print -l -- "$@"; fi; }
source "$1"; shift
words=("$@"); CURRENT=$#; _penstock
"""
FILE = """
pipeline: p
targets:
  local: {log: embedded}
  prod: {log: embedded}
"""
# Words so far, what has to be offered, what must not be.
CASES = [
    (["pla"], ["plan"], ["run"]),
    ([""], ["run", "schema", "completion", "version"], ["--data", "decode"]),
    (["schema", ""], ["check"], ["run"]),
    (["avro", "de"], ["decode"], ["encode", "demo"]),
    (["run", "--unt"], ["--until-idle"], ["--rate"]),
    (["schema", "check", "--req"], ["--require"], ["--schema"]),
    (["lag", "p.yaml", "-o", ""], ["table", "json", "yaml"], ["csv", "p.yaml"]),
    (["simulate", "p.yaml", "--output", ""], ["table", "json", "csv"], ["yaml"]),
    (["plan", "p.yaml", "-t", ""], ["local", "prod"], ["p.yaml"]),
    (["run", "p.yaml", "--until-idle", "--target", "pr"], ["prod"], ["local"]),
    (["check", "p"], ["p.yaml"], ["plan"]),
    (["eval", "--schema", ""], ["p.yaml", "with blank.avsc"], ["run"]),
    (["run", "p.yaml", "--workers", ""], [], ["p.yaml", "run"]),
    (["completion", ""], ["bash", "zsh", "fish"], ["p.yaml"]),
]


def offered(shell, script, words, folder):
    line = ["penstock", *words]
    if shell == "fish":
        quoted = " ".join(line)
        command = ["fish", "--no-config", "-c", f"source {script}; complete -C '{quoted}'"]
    elif shell == "zsh":
        command = ["zsh", "-f", "-c", ZSH, "zsh", script, *line]
    else:
        command = ["bash", "--norc", "-c", BASH, "bash", script, *line]
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(command, cwd=folder / "work", env={**os.environ, "PATH": path, "HOME": str(folder)},
                          capture_output=True, text=True, timeout=30, check=False)
    check(not done.stderr, f"{shell} is silent: {done.stderr}")
    found = [each.split("\t")[0].replace("\\ ", " ") for each in done.stdout.splitlines()]
    start = words[-1]  # zsh leaves it to its own machinery to take what begins so
    return [each for each in found if each and (shell != "zsh" or each.startswith(start))]


def main(folder):
    (folder / "bin").mkdir()
    (folder / "bin" / "penstock").symlink_to(BINARY)
    work = folder / "work"
    work.mkdir()
    (work / "p.yaml").write_text(FILE)
    (work / "with blank.avsc").write_text("{}")
    check(penstock("targets", work / "p.yaml") == "local\nprod\n", "targets of a file are told")
    for shell in ("bash", "zsh", "fish"):
        if shutil.which(shell) is None:
            print(f"{shell} is not installed")
            continue
        script = folder / f"completion.{shell}"
        script.write_text(penstock("completion", shell))
        for words, expected, unwanted in CASES:
            found = offered(shell, script, words, folder)
            missing = [each for each in expected if each not in found]
            beside = [each for each in unwanted if each in found]
            check(not missing and not beside, f"{shell}: {words}: offered {found}, missing {missing}, beside it {beside}")
        verbs = {each for each in offered(shell, script, [""], folder) if not each.startswith("-")}
        listed = penstock("--help").split("SUBCOMMANDS:")[-1].split("Subcommands:")[-1]
        told = {each.split()[0] for each in listed.splitlines() if each.startswith("  ") and each[2:3].strip()}
        check(len(told) > 20 and told <= verbs, f"{shell} offers every verb of the help: {told - verbs}")


with tempfile.TemporaryDirectory() as temporary:
    main(pathlib.Path(temporary))
print("ok")
