"""Everything that was found about a study, as one page that can be mailed and as files.

The page needs no network and is readable on a phone and in print.

Others use what is named here, `files` (tables, draws and figures in a folder) and `study` (the main
job with all its files).
"""

from incongruent.report.content import Origin
from incongruent.report.page import report_html, write_report

__all__ = ["Origin", "report_html", "write_report"]
