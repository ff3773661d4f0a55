"""Every parameter a scheme can have: its file, its shape, its units and its meaning. The only list of them.

Units and shapes are checked when a file is loaded; the tables in `docs/schemes.md` are made from here.
"""

from collections.abc import Mapping

from ila.schemes import catalogue_of_credits, catalogue_of_use
from ila.schemes.catalogue_of_credits import NEED
from ila.schemes.shapes import Entry

__all__ = ["CATALOGUE", "FILES", "NEED", "catalogue_markdown"]

CATALOGUE: Mapping[str, Entry] = {
    entry.name: entry
    for entries in (
        catalogue_of_credits.eligibility_entries,
        catalogue_of_credits.entitlement_entries,
        catalogue_of_credits.need_entries,
        catalogue_of_credits.ceiling_and_expiry_entries,
        catalogue_of_use.redemption_entries,
        catalogue_of_use.contribution_entries,
        catalogue_of_use.ending_and_payout_entries,
        catalogue_of_use.accreditation_entries,
        catalogue_of_use.budget_entries,
        catalogue_of_use.operation_entries,
    )
    for entry in entries()
}
"""Every parameter by its name, needs aside (`NEED`), in the order of the documentation."""

FILES: tuple[str, ...] = tuple(dict.fromkeys(entry.file for entry in CATALOGUE.values()))
"""The files a scheme may have beside `scheme.yaml`."""


def catalogue_markdown() -> str:
    """Return `docs/scheme_parameters.md`: a table of parameters for each file, and the columns of a need."""
    lines = [
        "# Parameters of a scheme",
        "",
        "Written by `make golden` from the catalogue that the loader checks; how to use it stands in `schemes.md`.",
        "`{unit}` is the scheme's own unit. Required parameters are marked; of the rest a scheme has what its law has.",
        "",
    ]
    for file in FILES:
        lines += [f"## {file}", "", "| Parameter | Value | Unit | Meaning |", "|---|---|---|---|"]
        entries = [entry for entry in CATALOGUE.values() if entry.file == file]
        for entry in [*entries, NEED] if file == NEED.file else entries:
            mark = " (required)" if entry.required else ""
            units = ", ".join(f"`{unit}`" for unit in entry.units)
            lines.append(f"| `{entry.name}`{mark} | {entry.shape.described()} | {units} | {entry.meaning} |")
        lines.append("")
    lines += ["## A need criterion", "", "| Key | Value |", "|---|---|"]
    when = NEED.shape.optional["when"]
    cells = {**NEED.shape.columns, **NEED.shape.optional} | {
        f"when.{name}": cell for name, cell in when.optional.items()
    }
    lines += [f"| `{name}` | {cell.described()} |" for name, cell in cells.items()]
    return "\n".join(lines) + "\n"
