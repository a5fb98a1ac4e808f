"""tabkit turns the files of statistics packages into archival tables with codebook and fingerprint.

Everything public is a name of this package; nothing heavy is imported before it is used.
"""

from __future__ import annotations

import importlib
import sys
import types
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tabkit.bundle import BundleReport as BundleReport
    from tabkit.bundle import bundle as bundle
    from tabkit.cite import cite as cite
    from tabkit.convert import convert as convert
    from tabkit.ddi.build import write_codebook as write_codebook
    from tabkit.ddi.parse import Codebook as Codebook
    from tabkit.ddi.parse import read_codebook as read_codebook
    from tabkit.ddi.study import Study as Study
    from tabkit.ddi.validate import validate as validate
    from tabkit.describe import describe as describe
    from tabkit.describe.unf import column_unf as column_unf
    from tabkit.describe.unf import combine_unfs as combine_unfs
    from tabkit.errors import AccessError as AccessError
    from tabkit.errors import DependencyError as DependencyError
    from tabkit.errors import FetchError as FetchError
    from tabkit.errors import FormatError as FormatError
    from tabkit.errors import LimitError as LimitError
    from tabkit.errors import LossError as LossError
    from tabkit.errors import OutputError as OutputError
    from tabkit.errors import PendingError as PendingError
    from tabkit.errors import TabkitError as TabkitError
    from tabkit.errors import UnknownFormatError as UnknownFormatError
    from tabkit.errors import UsageError as UsageError
    from tabkit.errors import VariableNotFoundError as VariableNotFoundError
    from tabkit.formats import FORMATS as FORMATS
    from tabkit.ingest import IngestReport as IngestReport
    from tabkit.ingest import ingest as ingest
    from tabkit.limits import Limits as Limits
    from tabkit.loss import Loss as Loss
    from tabkit.model import Block as Block
    from tabkit.model import Category as Category
    from tabkit.model import Description as Description
    from tabkit.model import Finding as Finding
    from tabkit.model import Interval as Interval
    from tabkit.model import Kind as Kind
    from tabkit.model import Measure as Measure
    from tabkit.model import MissingRange as MissingRange
    from tabkit.model import Origin as Origin
    from tabkit.model import ResponseSet as ResponseSet
    from tabkit.model import SummaryStats as SummaryStats
    from tabkit.model import Table as Table
    from tabkit.model import TableStream as TableStream
    from tabkit.model import Variable as Variable
    from tabkit.model import VariableDescription as VariableDescription
    from tabkit.prep import prep as prep
    from tabkit.profiles import DATAVERSE as DATAVERSE
    from tabkit.profiles import TABKIT as TABKIT
    from tabkit.profiles import Profile as Profile
    from tabkit.read import open_table as open_table
    from tabkit.read import read as read
    from tabkit.subset import subset as subset
    from tabkit.thumbnail import ThumbnailLimits as ThumbnailLimits
    from tabkit.thumbnail import thumbnail as thumbnail
    from tabkit.verify import verify as verify
    from tabkit.zip_files import ZipReport as ZipReport
    from tabkit.zip_files import zip_files as zip_files

__version__: Final = "0.1.0"

_HOMES: Final = {
    "tabkit.bundle": ("BundleReport", "bundle"),
    "tabkit.cite": ("cite",),
    "tabkit.convert": ("convert",),
    "tabkit.ddi.build": ("write_codebook",),
    "tabkit.ddi.parse": ("Codebook", "read_codebook"),
    "tabkit.ddi.validate": ("validate",),
    "tabkit.ddi.study": ("Study",),
    "tabkit.describe": ("describe",),
    "tabkit.describe.unf": ("column_unf", "combine_unfs"),
    "tabkit.errors": (
        "AccessError",
        "DependencyError",
        "FetchError",
        "FormatError",
        "LimitError",
        "LossError",
        "OutputError",
        "PendingError",
        "TabkitError",
        "UnknownFormatError",
        "UsageError",
        "VariableNotFoundError",
    ),
    "tabkit.formats": ("FORMATS",),
    "tabkit.ingest": ("IngestReport", "ingest"),
    "tabkit.limits": ("Limits",),
    "tabkit.loss": ("Loss",),
    "tabkit.model": (
        "Block",
        "Category",
        "Description",
        "Finding",
        "Interval",
        "Kind",
        "Measure",
        "MissingRange",
        "Origin",
        "ResponseSet",
        "SummaryStats",
        "Table",
        "TableStream",
        "Variable",
        "VariableDescription",
    ),
    "tabkit.prep": ("prep",),
    "tabkit.profiles": ("DATAVERSE", "TABKIT", "Profile"),
    "tabkit.read": ("open_table", "read"),
    "tabkit.subset": ("subset",),
    "tabkit.thumbnail": ("ThumbnailLimits", "thumbnail"),
    "tabkit.verify": ("verify",),
    "tabkit.zip_files": ("ZipReport", "zip_files"),
}
_HOME_OF: Final = {name: home for home, names in _HOMES.items() for name in names}

__all__ = sorted(_HOME_OF)  # noqa: PLE0605 - checked by tests/test_public_names.py


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        msg = f"module 'tabkit' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


class _Package(types.ModuleType):
    """Keeps ``tabkit.read`` the function when the import system binds the subpackage ``read``.

    ``from tabkit.read import …`` is untouched: it looks in ``sys.modules``. See docs/adr/0002.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (isinstance(value, types.ModuleType) and name in _HOME_OF):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
