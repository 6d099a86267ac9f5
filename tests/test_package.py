"""What the package promises as a whole: a light import, cards in the wheel, no module without a place."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import rxnopt
from rxnopt.catalogue import names

ROOT = Path(__file__).parents[1]
HEAVY = ["torch", "optuna", "numba", "sympy", "pandas", "matplotlib", "scipy", "stable_baselines3", "pint"]
HEAVY += ["asyncua", "sila", "sila2", "grpc", "httpx"]


def python(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, **options)


def test_import_is_light():
    code = f"import rxnopt, sys; print([m for m in {HEAVY} if m in sys.modules])"
    assert python("-c", code, check=True).stdout.strip() == "[]"


def test_public_names_exist():
    for name in rxnopt.__all__:
        assert callable(getattr(rxnopt, name))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = rxnopt.nothing


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with the wheel, and this one's libraries but not its rxnopt."""
    folder = tmp_path_factory.mktemp("wheel")
    python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT), check=True)
    [wheel] = folder.glob("rxnopt_gym-*.whl")
    python("-m", "venv", "--without-pip", str(folder / "venv"), check=True)
    interpreter = folder / "venv" / "bin" / "python"
    python("-m", "pip", "--python", str(interpreter), "install", "--no-deps", "--quiet", str(wheel), check=True)
    [site] = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib"))  # editable installs there are not followed
    return interpreter


def test_wheel_has_the_cards_and_no_stray_packages(installed: Path):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run([installed, *arguments], cwd="/tmp", env=environment, capture_output=True, text=True)

    home = run("-c", "import rxnopt; print(rxnopt.__file__)").stdout
    assert str(installed.parents[1]) in home
    found = json.loads(run("-m", "rxnopt", "list", "--json").stdout)
    for kind in ("envs", "agents", "experiments"):
        assert [row["name"] for row in found[kind]] == names(kind)
        missing = run("-c", f"import {kind}")
        assert "ModuleNotFoundError" in missing.stderr
    shown = run("-m", "rxnopt", "simulate", "lactose", "residence_time=5", "temperature=80", "tanks=4")
    assert "22.1351" in shown.stdout


def test_import_layers_hold():
    script = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([script], cwd=ROOT, capture_output=True, text=True, env=os.environ | {"NO_COLOR": "1"})
    assert result.returncode == 0, result.stdout


def test_modules_stay_small():
    long = {
        str(p.relative_to(ROOT)): n for p in ROOT.glob("rxnopt/**/*.py") if (n := len(p.read_text().splitlines())) > 300
    }
    assert long == {}
