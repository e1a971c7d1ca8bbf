"""A local web page: fit a file and read the report, or see what the parameters of the model do.

From what needs no browser to the page: `choices` (how a file is read), `work` and `worker` (fits in
a process of their own, one at a time), `observed` and `charts` (numbers of a study, and drawings of
them), `visitors` (who is here, and what is theirs), `guard` (who may ask), `shared` (what the pages
share), the two pages, and `server`. Others use `server`.
"""

import os
import tempfile

# The framework reads this when it is imported; by default it would look into, and write to, the
# working directory. The server says the real place.
os.environ.setdefault(
    "NICEGUI_STORAGE_PATH", os.path.join(tempfile.gettempdir(), "incongruent-page")
)
