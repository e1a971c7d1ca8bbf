"""The documentation site: ``sphinx-build -W -n --keep-going -b html docs build/docs``. Nothing is
fetched while it is built or read.
"""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_site"), str(HERE / "_ext")]

project = "incongruent"
author = "The incongruent developers"
copyright = author
release = version = metadata.version("incongruent")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinx_copybutton",
    "command_help",
    "known_names",
    "mathml",
    "neighbours",
]
exclude_patterns = ["_site", "_ext", "gallery", "**/GALLERY_HEADER.rst", "README.rst"]

myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 4
myst_links_external_new_tab = True

default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "exclude-members": "__init__, __new__"}
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90
toc_object_entries_show_parents = "hide"
# Without a network there is no inventory of other packages; their names stand as text. Private
# names have no page.
# … and half of a type that Sphinx cuts in two
nitpick_ignore_regex = [
    (
        "py:.*",
        r"(np|numpy|pd|pandas|xr|xarray|plt|matplotlib|jax|jaxtyping|equinox|eqx|scipy|stats|arviz|arviz_base|typer|nw|polars)(\..*)?",
    ),
    (
        "py:.*",
        r"(concurrent|collections|typing|pathlib|os|enum|abc|numba|contextlib|types|pickle)\..*",
    ),
    (
        "py:.*",
        r"(str|int|float|bool|dict|list|tuple|object|type|None|Any|Self|T|Callable|Literal|ValueError|TypeError|OSError|RuntimeWarning|Enum)",
    ),
    (
        "py:.*",
        r"incongruent\.(networks|storage\.bank\.layout|checks\.simultaneous|checks\.panel_statistics|checks\.hygiene\.lattice)\..*",
    ),  # what records hold inside
    (
        "py:.*",
        r"incongruent\.(posterior\.parallel\.T|simulation\.simulator\.(D|LaysOut)|simulation\.observed\.ObservedLayout|checks\.hygiene\.observed\.R|checks\.model\.candidates\.Variant)|tuple\[float|Asked|AnyPrior",
    ),
    # arrays with their axes, such as Float[ndarray, 'dataset parameter']
    ("py:class", r"Bool|Float|Int|Shaped|Array|ndarray|'.*'"),
    ("py:obj", r"style"),  # a module that the docstring of the plots names for others
]

html_theme = "furo"
html_title = f"incongruent {release}"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_math_renderer = "mathml"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0072B2", "color-brand-content": "#0072B2"},
    "dark_css_variables": {"color-brand-primary": "#56B4E9", "color-brand-content": "#56B4E9"},
}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

if (HERE / "gallery").is_dir():
    extensions.append("sphinx_gallery.gen_gallery")
    sphinx_gallery_conf = {
        "examples_dirs": ["gallery"],
        "gallery_dirs": ["auto_gallery"],
        "filename_pattern": r"plot_",
        "image_scrapers": ["figure_scraper.figure_scraper"],
        "reset_modules": (),
        "within_subsection_order": "FileNameSortKey",
        "abort_on_example_error": True,
        "show_memory": False,
        "write_computation_times": False,
        "remove_config_comments": True,
        "download_all_examples": False,
        "show_signature": False,
        "nested_sections": False,
    }
