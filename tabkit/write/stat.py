"""Files of statistics packages: SPSS (.sav, .zsav, .por), Stata (.dta), SAS transport (.xpt).

Each writer is tabkit's own: it carries all metadata that the format has a place for, and tells the
rest in the ledger that it returns.
"""

from __future__ import annotations

from tabkit.write.stat_dta import write_dta
from tabkit.write.stat_por import write_por
from tabkit.write.stat_sav import write_sav, write_zsav
from tabkit.write.stat_xpt import write_xpt

__all__ = ["write_dta", "write_por", "write_sav", "write_xpt", "write_zsav"]
