"""vnet's pytest plug-in: labs in tests, and what a failed test says about them.

``vnet_lab`` is a fixture that starts labs, ``@pytest.mark.vnet_seeds(1, 2, 3)`` runs a test
once for each seed. A test that fails, in whatever phase, keeps its captures, and its report
gets a section ``vnet``. A :class:`~vnet.base.errors.VnetError` shows at the line of the test
that caused it, without the rooms of vnet that it came through (``--full-trace`` shows them).
pytest loads this module for everybody who has vnet installed, so it imports next to nothing.
PYTEST_DONT_REWRITE: there are no assertions to explain here.
"""

from __future__ import annotations

import re
import shlex
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from types import TracebackType

import pytest

import vnet
from vnet.base.errors import VnetError
from vnet.testing import seeds
from vnet.testing.factory import LabFactory, sweep
from vnet.testing.story import tell

_HOUSE = Path(vnet.__file__).parent
_LABS = pytest.StashKey[LabFactory]()
_MOST_NAME_CHARACTERS = 120


def pytest_addoption(parser: pytest.Parser) -> None:
    """The command line's part."""
    group = parser.getgroup("vnet", "virtual network labs")
    group.addoption(
        "--vnet-pcap-dir",
        metavar="DIR",
        help="write captures to DIR/TEST/LAB instead of the test's tmp_path",
    )
    group.addoption(
        "--vnet-keep", action="store_true", help="keep the captures of tests that pass, too"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", f"{seeds.MARKER}(seed, ...): run the test once for each seed of its labs"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Multiply tests by their seeds."""
    seeds.parametrize(metafunc)


@pytest.fixture
def vnet_seed(request: pytest.FixtureRequest) -> int | None:
    """The seed that ``vnet_seeds`` gives this run of the test; None without the marker."""
    return seeds.seed_of(request)


@pytest.fixture
def vnet_lab(
    request: pytest.FixtureRequest, tmp_path: Path, vnet_seed: int | None
) -> Iterator[LabFactory]:
    """Start labs: ``vnet_lab("file.yaml")``, ``vnet_lab("@two-vms")``, ``vnet_lab(text=...)``."""
    item, config = request.node, request.config
    folder = tmp_path / "vnet"
    pcap_dir: str | None = config.getoption("--vnet-pcap-dir")
    if pcap_dir is not None:
        folder = config.invocation_params.dir / pcap_dir / tame(item.nodeid)
        # What the test left there when it last failed would pass for this run's.
        sweep(folder)
    factory = LabFactory(folder, beside=item.path.parent, root=config.rootpath, seed=vnet_seed)
    item.stash[_LABS] = factory
    yield factory
    errors = factory.close()
    if errors:
        pytest.fail("\n".join(map(str, errors)), pytrace=False)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Tell what became of the labs of a test that failed, and tidy up after one that passed."""
    if call.excinfo is not None and not item.config.getoption("fulltrace"):
        _leave_out_the_house(call.excinfo)
    report = yield
    factory = item.stash.get(_LABS, None)
    if factory is None:
        return report
    if report.failed and not factory.failed:
        factory.failed = True
        report.sections.extend(_sections(item, factory))
    if report.when == "teardown":
        del item.stash[_LABS]
        if not factory.failed and not item.config.getoption("--vnet-keep"):
            try:
                factory.sweep()
            except OSError as error:
                report.sections.append(("vnet", f"captures could not be removed: {error}"))
    return report


def _leave_out_the_house(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """End the traceback of a :class:`VnetError` where vnet was called."""
    if not isinstance(excinfo.value, VnetError):
        return
    last_outside = None
    at: TracebackType | None = excinfo.tb
    while at is not None:
        if _HOUSE not in Path(at.tb_frame.f_code.co_filename).parents:
            last_outside = at
        at = at.tb_next
    if last_outside is not None:
        last_outside.tb_next = None
        # pytest may have looked already.
        excinfo.traceback = type(excinfo.traceback)(excinfo.tb)


def _sections(item: pytest.Item, factory: LabFactory) -> Iterator[tuple[str, str]]:
    again = f"pytest {shlex.quote(_argument_for(item))}"
    for lab in factory.labs:
        try:
            lab.flush_captures()
        except VnetError as error:
            yield "vnet", f"the capture is not complete: {error}"
        yield "vnet", tell(lab, again)


def _argument_for(item: pytest.Item) -> str:
    """The test as pytest would be asked for it again: a node's id counts from the root."""
    file, _, rest = item.nodeid.partition("::")
    path, here = item.config.rootpath / file, item.config.invocation_params.dir
    if path.is_relative_to(here):
        path = path.relative_to(here)
    return f"{path}::{rest}"


def tame(nodeid: str) -> str:
    """A test's id as the name of a folder, on any file system; different for different ids."""
    plain = nodeid.replace("::", "-").replace("/", "-").replace("[", "-").replace("]", "")
    name = re.sub(r"[^A-Za-z0-9_.=-]+", "-", plain).strip(".-")
    if name == plain and len(name) <= _MOST_NAME_CHARACTERS:
        return name
    return f"{name[:_MOST_NAME_CHARACTERS]}-{zlib.crc32(nodeid.encode('utf-8', 'replace')):08x}"
