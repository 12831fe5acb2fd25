"""How the documentation is built: ``sphinx-build -n -W docs docs/_build``."""

from __future__ import annotations

from importlib.metadata import version as version_of


project = "scrmkit"
author = "The scrmkit maintainers"
copyright = "The scrmkit maintainers"
version = release = version_of("scrmkit")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"scrmkit {version}"
html_show_sphinx = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

default_role = "code"
add_module_names = False
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

# Every name of ours must lead somewhere. The documentation is built without a network, so
# names of other libraries and the types behind ours stay plain text.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!scrmkit\.).*"),
    ("py:.*", r"scrmkit\._.*"),
    ("py:.*", r"scrmkit\.results\.(Default|Value)"),  # type variables
]
