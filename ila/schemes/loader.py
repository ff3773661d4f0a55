"""Files of a scheme to a `ParameterSet`: strict YAML, typed by schemas, checked as a whole.

Every fault names scheme, file, line, key and reason in one sentence, and all faults of a scheme come together.
`units.yaml`, two folders up from a scheme, is the closed list of units.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any, ClassVar

from ila.errors import Invalid
from ila.schemes import consistency, schemas, strict_yaml
from ila.schemes.catalogue import CATALOGUE, FILES, NEED
from ila.schemes.parameters import Credit, DatedValue, Fund, Parameter, ParameterSet, Reference
from ila.schemes.shapes import Entry
from ila.schemes.strict_yaml import Document, Path

SCHEME_FILE = "scheme.yaml"
CASES_FOLDER = "cases"


class InvalidScheme(Invalid):
    """The files of a scheme cannot be used; `faults` holds one sentence for each thing to put right."""

    code: ClassVar[str] = "invalid_scheme"

    def __init__(self, scheme: str, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__(f"Scheme {scheme} has {count}: {' '.join(self.faults)}", scheme=scheme, faults=self.faults)


@dataclass(slots=True)
class _Reading:
    """What has been read of one scheme so far, with the lines and faults of its files."""

    scheme: str
    documents: dict[str, Document] = field(default_factory=dict)
    faults: dict[str, None] = field(default_factory=dict)  # ordered, each once
    unreadable: set[str] = field(default_factory=set)  # files of which nothing is known
    faulty: set[str] = field(default_factory=set)  # parameters that are there, but cannot be used

    def add(self, file: str, path: Path, reason: str) -> None:
        line = self.documents[file].line_of(path) if file in self.documents else None
        self.add_at(file, line, path, reason)

    def add_at(self, file: str, line: int | None, path: Path, reason: str) -> None:
        where = f"{self.scheme}/{file}" + (f" line {line}" if line else "")
        self.faults[f"{where}{strict_yaml.written_key(path)}: {reason}."] = None


def load_scheme(directory: FilePath, units_file: FilePath | None = None) -> ParameterSet:
    """Return the parameter set of one scheme's folder; raises `InvalidScheme` with every fault."""
    reading = _Reading(directory.name)
    units = _load_units(reading, units_file or directory.resolve().parent.parent / "units.yaml")
    _read_files(reading, directory)
    scheme = _load_scheme_file(reading, units)
    parameters: list[Parameter] = []
    if scheme is not None:
        for file in FILES:
            if file in reading.documents:
                parameters += _load_parameters(reading, file, scheme, units)
        parameters.sort(key=lambda parameter: (parameter.credit_code or "", _sort_name(parameter)))
        parameter_set = _parameter_set(scheme, parameters)
        for required in consistency.missing(parameter_set):
            if required.file not in reading.unreadable and required.name not in reading.faulty:
                reading.add_at(
                    required.file, None, (), f"required parameter {required.name} is missing{required.for_credit}"
                )
        for doubt in consistency.doubts(parameter_set):
            reading.add(doubt.file, _path_of(doubt), doubt.reason)
        if not reading.faults:
            return parameter_set
    raise InvalidScheme(directory.name, reading.faults)


def load_all(directory: FilePath, units_file: FilePath | None = None) -> list[ParameterSet]:
    """Return every scheme under a folder, by code; raises `InvalidScheme` with the faults of all of them."""
    loaded, faults = [], []
    folders = sorted(path for path in directory.iterdir() if path.is_dir()) if directory.is_dir() else []
    if not folders:
        raise InvalidScheme(directory.name, [f"{directory.name} holds no folder with a {SCHEME_FILE}."])
    for folder in folders:
        try:
            loaded.append(load_scheme(folder, units_file or directory.resolve().parent / "units.yaml"))
        except InvalidScheme as invalid:
            faults += invalid.faults
    if faults:
        raise InvalidScheme(", ".join(folder.name for folder in folders if _is_named(folder.name, faults)), faults)
    return loaded


def _is_named(scheme: str, faults: list[str]) -> bool:
    return any(fault.startswith(f"{scheme}/") for fault in faults)


def _sort_name(parameter: Parameter) -> str:
    """Sort by name, but leave needs in the order of their file, which may decide."""
    return "needs." if parameter.name.startswith("needs.") else parameter.name


def _path_of(doubt: consistency.Doubt) -> Path:
    within: Path = ("credits", doubt.credit_code) if doubt.credit_code else ()
    return (*within, *doubt.path)


def _load_units(reading: _Reading, path: FilePath) -> Mapping[str, Any]:
    """Return the closed list of units by code; scheme units have `minor_units`."""
    document = _read_file(reading, path)
    if document is None:
        return {}
    units: dict[str, Any] = {}
    if not isinstance(document.content, dict):
        reading.add(path.name, (), "must be a mapping of units")
        return {}
    for code, content in document.content.items():
        unit, faults = schemas.load(schemas.UnitSchema(), content)
        for fault_path, reason in faults:
            reading.add(path.name, (code, *fault_path), reason)
        units[code] = unit or {}
    return units


def _read_files(reading: _Reading, directory: FilePath) -> None:
    if not directory.is_dir():
        reading.faults[f"{reading.scheme} is not a folder; add config/schemes/{reading.scheme}."] = None
        return
    for path in sorted(directory.iterdir()):
        if path.name == CASES_FOLDER or path.name.startswith("."):
            continue
        if path.name not in (SCHEME_FILE, *FILES):
            known = ", ".join((SCHEME_FILE, *FILES))
            reading.add(path.name, (), f"unknown file; a scheme has {known} and a folder {CASES_FOLDER}")
        else:
            _read_file(reading, path)
    if SCHEME_FILE not in {path.name for path in directory.iterdir()}:
        reading.add(SCHEME_FILE, (), "is missing")


def _read_file(reading: _Reading, path: FilePath) -> Document | None:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        reading.add(path.name, (), f"is not UTF-8 text (byte {error.start + 1})")
        reading.unreadable.add(path.name)
        return None
    except OSError as error:
        reading.add(path.name, (), f"cannot be read: {error.strerror}")
        reading.unreadable.add(path.name)
        return None
    document, faults = strict_yaml.read(text)
    for fault in faults:
        reading.add_at(path.name, fault.line, fault.path, fault.reason)
    if document is None:
        reading.unreadable.add(path.name)
    else:
        reading.documents[path.name] = document
    return document


def _load_scheme_file(reading: _Reading, units: Mapping[str, Any]) -> Mapping[str, Any] | None:
    document = reading.documents.get(SCHEME_FILE)
    if document is None:
        return None
    scheme, faults = schemas.load_faultless_keys(schemas.SchemeSchema(), document.content)
    for path, reason in faults:
        reading.add(SCHEME_FILE, path, reason)
    if not {"unit", "minor_units", "first_day", "credits"} <= scheme.keys():
        return None  # without these no other file can be read
    scheme = {**_STAND_INS, "code": reading.scheme, **scheme}
    if scheme["code"] != reading.scheme:
        reading.add(SCHEME_FILE, ("code",), f"{scheme['code']} is not the name of the folder, {reading.scheme}")
    if scheme["last_day"] is not None and scheme["last_day"] < scheme["first_day"]:
        reading.add(SCHEME_FILE, ("last_day",), f"{scheme['last_day']} is before the first day, {scheme['first_day']}")
    minor_units = units.get(scheme["unit"], {}).get("minor_units")
    if minor_units is None:
        countable = ", ".join(code for code, unit in units.items() if "minor_units" in unit)
        reading.add(SCHEME_FILE, ("unit",), f"'{scheme['unit']}' is not a unit that can be counted: {countable}")
    elif minor_units != scheme["minor_units"]:
        reading.add(SCHEME_FILE, ("minor_units",), f"{scheme['unit']} has {minor_units} minor units in units.yaml")
    for key in ("credits", "funds"):
        codes = [item["code"] for item in scheme[key]]
        for code in sorted({code for code in codes if codes.count(code) > 1}):
            reading.add(SCHEME_FILE, (key,), f"{code} is listed twice")
    return scheme


_STAND_INS: Mapping[str, Any] = {
    "title": "",
    "time_zone": "UTC",
    "calendar": "",
    "last_day": None,
    "funds": (),
    "legal_basis": (),
}
"""What a faulty `scheme.yaml` leaves open, so that the other files can still be read for their own faults."""


def _load_parameters(
    reading: _Reading, file: str, scheme: Mapping[str, Any], units: Mapping[str, Any]
) -> Iterable[Parameter]:
    """Yield the parameters of one file: those of the scheme, then those under `credits`."""
    content = reading.documents[file].content
    if not isinstance(content, dict):
        reading.add(file, (), "must be a mapping of parameters")
        return
    own = {key: value for key, value in content.items() if key != "credits"}
    yield from _load_block(reading, file, own, None, scheme, units)
    by_credit = content.get("credits", {})
    if not isinstance(by_credit, dict):
        reading.add(file, ("credits",), "must be a mapping of credits")
        return
    codes = [credit["code"] for credit in scheme["credits"]]
    for code, block in by_credit.items():
        if code not in codes:
            reading.add(file, ("credits", code), f"unknown credit; scheme.yaml lists {', '.join(codes)}")
        elif not isinstance(block, dict):
            reading.add(file, ("credits", code), "must be a mapping of parameters")
        else:
            yield from _load_block(reading, file, block, code, scheme, units)


def _load_block(
    reading: _Reading, file: str, block: Mapping[str, Any], credit_code: str | None,
    scheme: Mapping[str, Any], units: Mapping[str, Any],
) -> Iterable[Parameter]:  # fmt: skip
    within: Path = ("credits", credit_code) if credit_code else ()
    for name, content in block.items():
        if name == NEED.name and file == NEED.file:
            yield from _load_needs(reading, content, (*within, name), credit_code, scheme, units)
            continue
        entry = CATALOGUE.get(name)
        if entry is None:
            reading.add(file, (*within, name), "unknown key; docs/scheme_parameters.md lists all")
        elif entry.file != file:
            reading.add(file, (*within, name), f"belongs in {entry.file}")
            reading.faulty.add(name)
        else:
            schema = schemas.parameter_schema(entry, _units(entry, scheme, units), scheme["minor_units"])
            loaded, faults = schemas.load(schema, content)
            for path, reason in faults:
                reading.add(file, (*within, name, *path), reason)
                reading.faulty.add(name)
            if loaded is not None:
                yield _parameter(name, credit_code, file, loaded)


def _load_needs(
    reading: _Reading, content: Any, within: Path, credit_code: str | None,
    scheme: Mapping[str, Any], units: Mapping[str, Any],
) -> Iterable[Parameter]:  # fmt: skip
    if not isinstance(content, list):
        reading.add(NEED.file, within, "must be a list of criteria")
        return
    schema = schemas.parameter_schema(NEED, _units(NEED, scheme, units), scheme["minor_units"], listed=True)
    seen: set[str] = set()
    for index, item in enumerate(content):
        loaded, faults = schemas.load(schema, item)
        for path, reason in faults:
            reading.add(NEED.file, (*within, index, *path), reason)
        if loaded is None:
            continue
        if loaded["criterion"] in seen:
            reading.add(NEED.file, (*within, index), f"criterion {loaded['criterion']} is listed twice")
        seen.add(loaded["criterion"])
        yield _parameter(f"needs.{loaded['criterion']}", credit_code, NEED.file, loaded)


def _units(entry: Entry, scheme: Mapping[str, Any], units: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the units an entry allows here: the scheme's own, any currency, or a measure of the list."""
    currencies = [code for code in units if code.isupper()]
    allowed: list[str] = []
    for unit in entry.units:
        written = unit.replace("{unit}", scheme["unit"])
        allowed += [written.replace("{currency}", code) for code in currencies] if "{currency}" in unit else [written]
    return tuple(unit for unit in allowed if all(part in units for part in unit.split("/")))


def _parameter(name: str, credit_code: str | None, file: str, loaded: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name=name,
        credit_code=credit_code,
        file=file,
        description=" ".join(loaded["description"].split()),
        unit=loaded["unit"],
        checked_on=loaded["checked_on"],
        values=tuple(
            DatedValue(
                start=dated["start"],
                value=dated["value"],
                references=_references(dated.get("references", ())),
                reason=dated.get("reason"),
                approved_by=dated.get("approved_by"),
            )
            for dated in loaded["values"]
        ),
    )


def _references(loaded: Iterable[Mapping[str, Any]]) -> tuple[Reference, ...]:
    return tuple(
        Reference(reference["title"], reference.get("url"), reference.get("published_on")) for reference in loaded
    )


def _parameter_set(scheme: Mapping[str, Any], parameters: Iterable[Parameter]) -> ParameterSet:
    return ParameterSet(
        code=scheme["code"],
        title=scheme["title"],
        unit=scheme["unit"],
        minor_units=scheme["minor_units"],
        time_zone=scheme["time_zone"],
        calendar=scheme["calendar"],
        first_on=scheme["first_day"],
        last_on=scheme["last_day"],
        legal_basis=_references(scheme["legal_basis"]),
        funds=tuple(Fund(**fund) for fund in scheme["funds"]),
        credits=tuple(Credit(**credit) for credit in scheme["credits"]),
        parameters=tuple(parameters),
    )
