#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""info.py VYRE-INFO VYRE-RESTRICT LAYER ROOT PLUGIN LIBRARY PAGE: what the command prints and returns."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

LISTED = ["index", "name", "uuid", "kind", "vulkan", "driver"]
MEASURED = ("verdict", "round-trip", "kernels", "size")  # not the same in every run


def start(arguments, wrapper=(), env=None):
    return subprocess.run(
        [*map(str, wrapper), str(INFO), *map(str, arguments)],
        env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def read_json(text):
    """By json.tool, which refuses what is not exactly one value."""
    done = subprocess.run(
        [sys.executable, "-m", "json.tool"], input=text, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def parse_text(text):
    """The sections: their title, their facts and their problems."""
    sections = []
    for line in text.splitlines():
        if not line.startswith("  "):
            sections.append((line, [], []))
        elif re.match(r"  [a-z-]+  +\S", line):
            sections[-1][1].append(tuple(line.split(None, 1)))
        elif line.startswith("  Fix: "):
            sections[-1][2][-1][1] = line[len("  Fix: ") :]
        else:
            sections[-1][2].append([line[2:], None])
    return sections


def show(value):
    if value is None:
        return "-"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def make_sections(report):
    """The same of the JSON."""
    sections = [(name, report[name]) for name in report if name not in ("devices", "status")]
    sections += [(f"device {device['index']}", device) for device in report["devices"]]
    return [
        (
            title,
            [(key, show(value)) for key, value in section.items() if key != "problems"],
            [[problem["problem"], problem["fix"]] for problem in section["problems"]],
        )
        for title, section in sections
    ]


def hide_numbers(sections):
    return [
        (title, [(k, re.sub(r"\d+", "N", v) if k in MEASURED else v) for k, v in facts], problems)
        for title, facts, problems in sections
    ]


def drop_units(sections):
    return [
        (title, [(key, re.sub(r"^(\d+) (bytes|ns)$", r"\1", value)) for key, value in facts], problems)
        for title, facts, problems in sections
    ]


def find_problems(report):
    sections = [report[name] for name in report if name not in ("devices", "status")]
    return [p for section in sections + report["devices"] for p in section["problems"]]


def look(*arguments, **how):
    """The JSON of a run, which has the facts of its text and the status that they ask for."""
    done = start(["--json", *arguments], **how)
    report = read_json(done.stdout)
    text = start(arguments, **how)
    assert hide_numbers(drop_units(parse_text(text.stdout))) == hide_numbers(make_sections(report)), (
        text.stdout,
        report,
    )
    problems = find_problems(report)
    assert text.stdout.count("\n  Fix: ") == len(problems)
    assert all(problem["problem"] and problem["fix"] for problem in problems), problems
    expected = 2 if not report["devices"] else 1 if problems else 0
    assert done.returncode == text.returncode == report["status"] == expected, (done, text)
    return report


def check_fix(section, problem, fix):
    (found,) = section["problems"]
    assert re.search(problem, found["problem"]) and re.search(fix, found["fix"]), found


def test_device():
    """Nothing is wrong on this machine, except that memory may be short."""
    report = look()
    versions, files, (device,) = report["versions"], report["files"], report["devices"]
    assert versions["plugin"] == versions["vyre-info"], versions
    assert versions["plugin-file"] == str(PLUGIN), versions
    assert versions["linux"].startswith(os.uname().release), versions
    assert not [p for p in find_problems(report) if p not in files["problems"]], report
    assert files["registered"] is not bool(files["problems"]), files
    assert device["proven"] is True and device["kind"] == "cpu", device
    assert f"{device['placement']}, {device['residency']}: proven" in device["verdict"], device
    assert f" {device['workgroups']} workgroups" in device["verdict"], device
    assert device["workgroup-size"] > 0 and device["copy-threshold"] is None, device
    assert 1000 < device["round-trip"] < 10**9, device


def test_quick():
    report = look("--quick")
    (device,) = report["devices"]
    assert list(device) == [*LISTED, "problems"], device


def test_selectors():
    """Two devices: each by its index, and the first by what both have."""
    env = {"VK_DRIVER_FILES": two_drivers()}
    uuid = look("--quick")["devices"][0]["uuid"]
    assert [d["index"] for d in look("--quick", env=env)["devices"]] == [0, 1]
    for selector, index in (("0", 0), ("1", 1), ("auto", 0), ("llvmPIPE", 0), (uuid, 0)):
        report = look("--quick", f"--device={selector}", env=env)
        assert [d["index"] for d in report["devices"]] == [index], report
        assert report["vulkan"]["devices"] == 1
    report = look("--device=nonsense", env=env)
    assert report["devices"] == []
    check_fix(report["vulkan"], "matches 'nonsense'; there are: 0 'llvmpipe.*, 1 'llvm", "name one")


def two_drivers():
    """Lavapipe under another name, and under its own."""
    other = WORK / "other.json"
    shutil.copyfile(os.environ["VK_DRIVER_FILES"], other)
    return f"{os.environ['VK_DRIVER_FILES']}:{other}"


def test_lost_device():
    """The first is lost while it is tried, the second is tried all the same."""
    env = {
        "VK_DRIVER_FILES": two_drivers(),
        "VK_INSTANCE_LAYERS": "VK_LAYER_VYRE_lost",
        "VK_LAYER_PATH": str(LAYER.parent),
        "LD_PRELOAD": str(LAYER),  # it counts what it loses, so it has to stay loaded
        "VYRE_LOST_CALL": "vkQueueSubmit",
    }
    lost, other = look(env=env)["devices"]
    assert list(lost) == [*LISTED, "proven", "problems"] and lost["proven"] is False, lost
    check_fix(lost, "the device was lost in vkQueueSubmit", "driver messages")
    assert other["proven"] is True and other["problems"] == [], other


def test_old_device():
    """It is listed, and why no kernel runs on it."""
    env = {"VK_INSTANCE_LAYERS": "VK_LAYER_VYRE_lost", "VK_LAYER_PATH": str(LAYER.parent)}
    (old,) = look(env={**env, "VYRE_LOST_OLD": "yes"})["devices"]
    assert old["proven"] is False and old["uuid"] is None, old
    assert old["vulkan"] == "1.0.0", old
    check_fix(old, "there is one: 0 'llvmpipe.*' without Vulkan 1.1", "install a driver")


def test_no_driver():
    report = look(env={"VK_DRIVER_FILES": "/nonexistent"})
    assert report["vulkan"]["devices"] == 0 and report["devices"] == []
    assert re.fullmatch(r"\d+\.\d+\.\d+", report["vulkan"]["loader"])
    check_fix(report["vulkan"], "No Vulkan instance", "install a Vulkan driver")


def test_missing_driver():
    """GPUs of a machine, in a folder of the test, and drivers for the CPU alone."""
    root = WORK / "root"
    env = {"LD_PRELOAD": str(ROOT), "VYRE_TEST_ROOT": str(root), "VK_LOADER_DRIVERS_SELECT": "*lvp*"}
    drivers = os.environ.pop("VK_DRIVER_FILES")
    try:
        assert look("--quick", env=env)["vulkan"]["problems"] == []
        (root / "dev").mkdir(parents=True)
        (root / "dev" / "nvidiactl").touch()
        assert look("--quick", env=env)["vulkan"]["problems"] == []
        (root / "dev" / "nvidia0").touch()
        check_fix(look("--quick", env=env)["vulkan"], "has a GPU: .*/dev/nvidia0", "Vulkan driver")
        assert look("--quick", "--device=0", env=env)["vulkan"]["problems"] == []
        for variable in ("VK_DRIVER_FILES", "VK_ICD_FILENAMES"):
            chosen = {**env, variable: drivers}
            assert look("--quick", env=chosen)["vulkan"]["problems"] == [], variable
        (root / "dev" / "dri").mkdir()
        (root / "dev" / "dri" / "renderD128").symlink_to("nowhere")  # nobody may open it, root neither
        check_fix(look("--quick", env=env)["vulkan"], "may not open .*/dri/renderD128", "the group")
    finally:
        os.environ["VK_DRIVER_FILES"] = drivers


def test_memlock():
    """Other processes of the user count, so what was refused may differ from run to run."""
    done = start(["--quick", "--json"], wrapper=[RESTRICT, "memlock"])
    report = read_json(done.stdout)
    files = report["files"]
    assert done.returncode == report["status"] == 1, done
    assert files["memlock"] == files["memlock-most"] == 65536, files
    assert files["registered"] is False, files
    check_fix(files, "RLIMIT_MEMLOCK is 65536 bytes", "raise RLIMIT_MEMLOCK ")
    done = start(["--quick"], wrapper=[RESTRICT, "memlock"])
    assert done.returncode == 1 and "\n  Fix: raise RLIMIT_MEMLOCK " in done.stdout, done


def test_seccomp():
    """The device, whose reads are refused likewise, does not tell it again."""
    report = look(wrapper=[RESTRICT, "seccomp"])
    files = report["files"]
    assert report["devices"][0]["problems"] == [], report
    assert files["mode"] == "pread" and files["registered"] is False, files
    check_fix(files, "io_uring.* was refused", "allow io_uring")


def test_cache():
    new = WORK / "not" / "yet"
    cache = look(env={"XDG_CACHE_HOME": str(new)})["cache"]
    assert cache["folder"] == str(new / "gst-vyre") and cache["writable"] is True, cache
    kept = list((new / "gst-vyre").iterdir())
    cache = look("--quick", env={"XDG_CACHE_HOME": str(new)})["cache"]
    assert cache["kernels"] == len(kept) > 0, (cache, kept)
    assert cache["size"] == sum(path.stat().st_size for path in kept), (cache, kept)

    file = WORK / "file"
    file.touch()
    cache = look("--quick", env={"XDG_CACHE_HOME": str(file)})["cache"]
    assert cache["writable"] is False and cache["kernels"] == 0, cache
    check_fix(cache, "Not a directory", "XDG_CACHE_HOME")


def test_plugin():
    """None, and one of another version."""
    env = {"GST_REGISTRY": str(WORK / "none.bin"), "GST_PLUGIN_SYSTEM_PATH": "", "GST_PLUGIN_PATH": ""}
    versions = look("--quick", env=env)["versions"]
    assert versions["plugin"] is None and versions["plugin-file"] is None, versions
    check_fix(versions, "does not find the element vyrefilter", "GST_PLUGIN_PATH")

    own = versions["vyre-info"].encode()
    other = re.sub(rb"\d+$", lambda n: b"9" * len(n[0]), own)
    folder = WORK / "plugins"
    folder.mkdir()
    whole = PLUGIN.read_bytes()
    assert whole.count(b"\0" + own + b"\0") == 1
    (folder / PLUGIN.name).write_bytes(whole.replace(b"\0" + own + b"\0", b"\0" + other + b"\0"))
    env["GST_REGISTRY"] = str(WORK / "other.bin")
    env["GST_PLUGIN_PATH"] = str(folder)
    env["LD_LIBRARY_PATH"] = f"{LIBRARY.parent}:{PLUGIN.parent.parent / 'library'}"
    versions = look("--quick", env=env)["versions"]
    assert versions["plugin"] == other.decode(), versions
    check_fix(versions, "of different versions", "of one build")


def check_usage(words, *arguments):
    done = start(arguments)
    assert done.returncode == 2 and done.stdout == "", done
    assert re.fullmatch(rf"vyre-info: .*{words}.* Fix: .*\.\n", done.stderr), done


def test_usage():
    version = start(["--version"])
    assert re.fullmatch(r"vyre-info \d+\.\d+\.\d+\n", version.stdout) and version.returncode == 0
    shown = start(["--help"])
    assert "--device=DEVICE" in shown.stdout and shown.returncode == 0
    check_usage("Unknown option --nonsense", "--nonsense")
    check_usage("'extra' is no option", "extra")


def test_standard_output():
    """Neither a full disk nor a closed descriptor passes for a report."""
    for target in (">/dev/full", ">&-"):
        for option in ("--quick", "--json"):
            done = start([option], wrapper=["sh", "-c", f'"$@" {target}', "sh"])
            assert done.returncode == 2, done
            assert done.stderr == (
                "vyre-info: Standard output could not be written. Fix: check the room on its disk.\n"
            ), done


def test_page():
    """The page shows what a run prints, and has each fact in its table."""
    text = PAGE.read_text(encoding="utf-8")
    shown, problem = re.findall(r"^```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    report = look()
    keys = [(title, [key for key, _ in facts]) for title, facts, _ in make_sections(report)]
    assert [(t, [key for key, _ in facts]) for t, facts, _ in parse_text(shown)] == keys
    assert all(problems == [] for _, _, problems in parse_text(shown))
    printed = start(["--quick"], wrapper=[RESTRICT, "seccomp"]).stdout
    assert problem in printed, (problem, printed)

    rows = re.findall(r"^\| `([a-z]+)` \| `([a-z-]+)` \|", text, re.MULTILINE)
    facts = [
        ("devices" if title.startswith("device ") else title, key)
        for title, section, _ in make_sections(report)
        for key, _ in section
    ]
    assert rows == facts, (rows, facts)


def main():
    test_device()
    test_quick()
    test_selectors()
    test_lost_device()
    test_old_device()
    test_no_driver()
    test_missing_driver()
    test_memlock()
    test_seccomp()
    test_cache()
    test_plugin()
    test_usage()
    test_standard_output()
    test_page()


if __name__ == "__main__":
    INFO, RESTRICT, LAYER, ROOT, PLUGIN, LIBRARY, PAGE = (
        pathlib.Path(path).resolve() for path in sys.argv[1:]
    )
    with tempfile.TemporaryDirectory() as folder:
        WORK = pathlib.Path(folder)
        main()
