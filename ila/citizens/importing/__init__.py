"""Import of a population from CSV: `inspected` looks a file through, `import_population` lets its good rows land."""

from ila.citizens.importing.reading import Inspection, inspected
from ila.citizens.importing.refusals import RefusalFile
from ila.citizens.importing.rows import fact_from_text
from ila.citizens.importing.running import ImportCounts, RefusedRow, import_population
from ila.citizens.importing.template import COLUMNS, EXAMPLE, UnreadableFile

__all__ = [
    "COLUMNS",
    "EXAMPLE",
    "ImportCounts",
    "Inspection",
    "RefusalFile",
    "RefusedRow",
    "UnreadableFile",
    "fact_from_text",
    "import_population",
    "inspected",
]
