"""The rules of the tree: who may import what. DESIGN section 4."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "exporters" / "yardlight"
DOMAINS = ("terminal", "cellular", "mdm", "feeds", "records")
# The one module that may import each library; tests may import what they like.
OWNERS = {
    "requests": "client.py", "prometheus_client": "exposition.py", "sqlite3": "state.py",
    "sqlalchemy": "feeds/database.py",
}  # fmt: skip
# The demo is what others run, too: a database of theirs.
OF_OTHERS = {"sqlite3": "demo/back_end.py"}


def imports(source: str, package: str = "") -> set[str]:
    """Dotted names of all that this source imports, at any depth; `package` resolves relative imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            found.add(module)
            found.update(f"{module}.{alias.name}" for alias in node.names)
    return found


def imported_by(path: Path) -> set[str]:
    package = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
    return imports(path.read_text(encoding="utf-8"), package)


def reaches(imported: set[str], module: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for name in imported)


def sources(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.py")) if "__pycache__" not in path.parts)


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_never_imports_another(domain: str) -> None:
    others = [f"yardlight.{other}" for other in DOMAINS if other != domain]
    wrong = [
        f"{path.relative_to(ROOT)} imports {other}: move what two domains need down into the kernel"
        for path in sources(PACKAGE / domain)
        for other in others
        if reaches(imported_by(path), other)
    ]
    assert not wrong


@pytest.mark.parametrize(("library", "owner"), OWNERS.items())
def test_only_one_module_imports(library: str, owner: str) -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in sources(PACKAGE)
        if path not in (PACKAGE / owner, PACKAGE / OF_OTHERS.get(library, owner))
        and reaches(imported_by(path), library)
    ]
    assert not wrong, f"only {owner} imports {library}"


def test_the_folder_exporters_is_not_a_package() -> None:
    assert not (PACKAGE.parent / "__init__.py").exists()


def test_nothing_imports_the_package_through_the_folder_that_holds_it() -> None:
    folders = ("exporters", "tests", "dashboards", "docker", "playbooks", "alert_rules")
    wrong = [
        str(path.relative_to(ROOT))
        for folder in folders
        for path in sources(ROOT / folder)
        if reaches(imports(path.read_text(encoding="utf-8")), "exporters")
    ]
    assert not wrong, "import yardlight, not exporters.yardlight"


def test_everything_of_the_package_is_described_on_top() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in sources(PACKAGE)
        if path.read_text(encoding="utf-8").strip()
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert not wrong, "a module begins with a docstring that says what it is for"


@pytest.mark.parametrize(
    ("source", "package", "module"),
    [
        ("import requests.adapters", "", "requests"),
        ("def f():\n    from sqlite3 import connect", "", "sqlite3"),
        ("from yardlight import mdm", "", "yardlight.mdm"),
        ("from ..mdm import staleness", "yardlight.terminal", "yardlight.mdm"),
        ("from .. import mdm", "yardlight.terminal", "yardlight.mdm"),
        ("from . import mdm", "yardlight", "yardlight.mdm"),
    ],
)
def test_an_import_in_any_form_is_seen(source: str, package: str, module: str) -> None:
    assert reaches(imports(source, package), module)


def test_a_name_that_only_begins_alike_is_not_an_import_of_it() -> None:
    assert not reaches(imports("import requests_cache"), "requests")
