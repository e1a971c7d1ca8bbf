"""Everything that was found about a study as one page that can be mailed: no network access, no other file, readable on a phone and in print."""

from incongruent.report.content import Origin
from incongruent.report.page import report_html, write_report

__all__ = ["Origin", "report_html", "write_report"]
