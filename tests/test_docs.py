"""The documentation: its tables are computed, its pages are linked, what it names is there."""

import re
import subprocess
import sys

import pytest
import typer
from source import ROOT

import sspexplorer
from sspexplorer.cli import app as command_line
from sspexplorer.glossary import GLOSSARY


@pytest.fixture
def update_docs(repository, monkeypatch):
    monkeypatch.syspath_prepend(repository / "scripts")
    import update_docs

    return update_docs


def card(update_docs, bias: float) -> dict:
    group = {
        name: {"bias": bias, "sigma_nmad": 0.2071, "outlier_fraction": 0.174, "n": 39000}
        for name in update_docs.PARAMETERS
    }
    ssp = {
        "overall": group,
        "by_magnitude": dict.fromkeys(update_docs.MAGNITUDES, group),
        "by_library": dict.fromkeys(update_docs.LIBRARIES, group),
    }
    return {"name": "default", "metrics": {"ssp": ssp}}


def test_tables_show_what_the_shipped_models_do(repository):
    command = [sys.executable, "scripts/update_docs.py", "--check"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_site_is_built_without_a_warning_or_a_network(repository, tmp_path):
    """Without the notebooks' outputs: they are run by tests of their own."""
    quiet = ["-q", "-W", "--keep-going", "-D", "nb_execution_mode=off", "-d", tmp_path / "trees"]
    command = [sys.executable, "-m", "sphinx", *quiet, "docs", tmp_path / "site"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    pages = [path.read_text() for path in (tmp_path / "site").rglob("*.html")]
    assert len(pages) > 30
    assert not [
        found
        for page in pages
        for found in re.findall(r'(?:src|href)="(?:https?:)?//[^"]*\.(?:js|css)"', page)
    ]


def test_the_table_has_a_row_of_each_recipe(update_docs):
    biases = {"default": -0.0123, "paper": 0.0004}
    recipes = {n: update_docs.metrics_of(card(update_docs, b)) for n, b in biases.items()}
    lines = update_docs.table(recipes).splitlines()
    assert "Measured on 39 000 mocks" in lines[0]
    place = lines.index(
        "| **all, 16 ≤ i ≤ 22** | default |" + " −0.012, 0.207, 17% |" * 3,
    )
    assert lines[place + 1] == "|  | paper's recipe |" + " +0.000, 0.207, 17% |" * 3
    assert lines[-1].startswith(
        "| *the paper, split at random*, fraction at i ≈ 17 | as published | +0.01, 0.23, 17% |"
    )
    assert len({line.count("|") for line in lines[3:]}) == 1


def test_only_what_lies_between_the_marks_changes(update_docs):
    marked = "before\n<!-- accuracy:begin -->\nold\n<!-- accuracy:end -->\nafter\n"
    assert update_docs.filled(marked, "accuracy", "new") == marked.replace("old", "new")
    with pytest.raises(SystemExit, match="marks"):
        update_docs.filled(marked, "posteriors", "new")


def test_a_card_without_held_out_ssps_is_refused(update_docs):
    with pytest.raises(SystemExit, match="held out"):
        update_docs.metrics_of({"name": "mine", "metrics": {"random": {}}})


# Pages

DOCS = ROOT / "docs"
PAGES = sorted(
    path
    for path in DOCS.rglob("*.md")
    if not {"_extensions", "_templates", "notebooks"} & set(path.relative_to(DOCS).parts)
)
TEXTS = {path: path.read_text(encoding="utf-8") for path in [*PAGES, ROOT / "README.md"]}


def anchors(text: str) -> set[str]:
    """Anchors of the headings of a page, as GitHub and MyST make them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S), re.M)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


def code_of(text: str) -> list[str]:
    """What a page shows as code, in lines and in blocks, one call a line."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    return [*lines, *re.findall(r"`([^`]+)`", rest)]


def test_every_page_is_in_a_table_of_contents():
    listed = {DOCS / "index.md"}
    for path in PAGES:
        for block in re.findall(r"^```\{toctree\}\n(.*?)^```", TEXTS[path], re.M | re.S):
            names = [line for line in block.splitlines() if line and not line.startswith(":")]
            listed |= {path.parent / f"{name}.md" for name in names}
    assert set(PAGES) <= listed
    assert {path.stem for path in listed - set(PAGES)} <= {"*"}


def test_every_link_inside_leads_somewhere():
    lost = []
    for path, text in TEXTS.items():
        for target in re.findall(r"\]\(((?!https?:)[^)\s]+)\)", text):
            name, _, anchor = target.partition("#")
            if name.startswith("notebooks/") or name.startswith("../notebooks/"):
                there = ROOT / "notebooks" / name.rpartition("/")[2]
            else:
                there = (path.parent / name).resolve() if name else path
            known = TEXTS.get(there, "") if anchor else ""
            if not there.exists() or (anchor and anchor not in anchors(known)):
                lost.append(f"{path.relative_to(ROOT)}: {target}")
    assert not lost


def is_there(name: str) -> bool:
    """Whether ``sspexplorer.a.b.c`` is a module, or a name that one defines or imports."""
    place, parts = ROOT / "sspexplorer", name.split(".")[1:]
    while parts and (place / parts[0]).is_dir():
        place /= parts.pop(0)
    if parts and (place / f"{parts[0]}.py").exists():
        place /= f"{parts.pop(0)}.py"
    source = (place / "__init__.py" if place.is_dir() else place).read_text(encoding="utf-8")
    public = place == ROOT / "sspexplorer" and parts and parts[0] in sspexplorer.__all__
    return not parts or public or bool(re.search(rf"\b{parts[0]}\b", source))


def test_every_name_script_and_target_in_the_pages_is_there():
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M)
    lost = []
    for path, text in TEXTS.items():
        # Not the name of a host, a file or a service.
        names = re.findall(r"(?<![\w/.])sspexplorer(?:\.[A-Za-z_]+)+(?!\w*[./]\w*\.)", text)
        names = [name for name in names if not name.endswith(".service")]
        wrong = [name for name in names if not is_there(name)]
        public = re.findall(r"(?<![\w.])ssp\.([a-z_]+)", " ".join(code_of(text)))
        wrong += [f"ssp.{n}" for n in public if n not in (*sspexplorer.__all__, "example")]
        files = re.findall(r"\b(?:scripts|benchmarks|tests)/\w+\.py", text)
        wrong += [name for name in files if not (ROOT / name).exists()]
        wrong += [t for t in re.findall(r"`?\bmake ([a-z]+)`", text) if t not in targets]
        lost += [f"{path.relative_to(ROOT)}: {name}" for name in wrong]
    assert not lost


def commands(command, name: str = "sspexplorer") -> dict[str, set[str]]:
    """Options of each command by its full name."""
    options = {word for one in command.params for word in (*one.opts, *one.secondary_opts)}
    found = {name: options | {"--help"}}
    for key, below in getattr(command, "commands", {}).items():
        found |= commands(below, f"{name} {key}")
    return found


def test_every_command_and_option_in_the_pages_is_there():
    known = commands(typer.main.get_command(command_line))
    lost = []
    for path, text in TEXTS.items():
        calls = (re.search(r"(?<!import )\bsspexplorer ([a-z-].*)", c) for c in code_of(text))
        for call in filter(None, calls):
            words = call[1].partition("#")[0].split()
            name = "sspexplorer"
            while words and f"{name} {words[0]}" in known:
                name = f"{name} {words.pop(0)}"
            options = {word for word in words if re.fullmatch(r"--[a-z-]+", word)}
            unknown = sorted(options - known[name])
            if name == "sspexplorer" and not options:
                unknown = words[:1]
            lost += [f"{path.relative_to(ROOT)}: {name} {word}" for word in unknown]
    assert not lost


def test_the_glossary_says_each_term_in_a_few_sentences_without_markup():
    for term, entry in GLOSSARY.items():
        assert entry.text.endswith("."), term
        assert entry.text.count(". ") < 4, term
        assert not re.search(r"[`*{}<>|]|\n", entry.text + entry.reference), term
