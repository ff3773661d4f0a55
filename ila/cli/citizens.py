"""`ila citizens`: the population and its facts. Every verb but `template` acts in the name of the token's holder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ila import clock
from ila.citizens.rules import NO_END, ClosingReason, EvidenceSource
from ila.cli import output
from ila.cli.citizen_view import render_history, still_known
from ila.cli.context import Context, actor_of, json_option, open_context, token_option
from ila.cli.population import criteria_of_schemes, imported, keys_of
from ila.errors import Invalid

if TYPE_CHECKING:
    from ila.access.rules import Actor
    from ila.citizens.importing import ImportCounts
    from ila.db.session import WriteSession

TIME_ZONE = "UTC"
"""A citizen belongs to no scheme, so days without one are those of UTC."""

day_type = click.DateTime(formats=["%Y-%m-%d"])


@click.group()
def commands() -> None:
    """Import people, attest needs, correct facts, close and reopen accounts."""


@commands.command("template", epilog="Example: ila citizens template > population.csv")
@click.option("--explain", is_flag=True, help="Tell what each column holds instead.")
def template(explain: bool) -> None:
    """Write the header of a population file, with one row as an example."""
    from ila.citizens.importing import COLUMNS, EXAMPLE

    if explain:
        rows = [[column.name, "yes" if column.required else "", column.meaning] for column in COLUMNS]
        output.table(["column", "required", "what a cell holds"], rows)
        return
    output.say(",".join(column.name for column in COLUMNS))
    output.say(",".join(EXAMPLE))


@commands.command("import", epilog="Example: ila citizens import population.csv.gz --refused corrections.csv")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--refused", type=click.Path(path_type=Path), help="Where refused rows go; FILE.refused.csv if not given."
)
@token_option
@json_option
def import_file(file: Path, refused: Path | None, token_file: Path | None, as_json: bool) -> None:
    """Import a population from FILE, CSV or gzip; good rows land, the others are set aside with the reason.

    The same file again changes nothing, so an import that was cut off is simply started again.
    """
    refused = refused or file.with_name(f"{file.name}.refused.csv")
    with open_context("job") as context:
        with context.sessions.begin() as session:
            actor = actor_of(session, token_file)
        counts = imported(context, actor, file, refused, today=clock.today(TIME_ZONE))
    shown = {**_as_dict(counts), "refused_file": str(refused) if counts.refused else None}
    output.emit(shown, as_json, lambda: _say_counts(counts, refused))


def _as_dict(counts: "ImportCounts") -> dict[str, int]:
    return {name: getattr(counts, name) for name in counts.__slots__}


def _say_counts(counts: "ImportCounts", refused: Path) -> None:
    output.say(
        f"{counts.read:,} rows read: {counts.opened:,} accounts opened, {counts.updated:,} updated,"
        f" {counts.unchanged:,} unchanged, {counts.refused:,} refused."
    )
    if counts.refused:
        output.say(f"The refused rows are in {refused}, with the reasons; correct them there and import that file.")


@dataclass(frozen=True, slots=True)
class _Act:
    """One act on one citizen: the open transaction, who acts, on whom, and when."""

    context: Context
    session: "WriteSession"
    actor: "Actor"
    citizen_id: int
    now: datetime
    today: date


@contextmanager
def _act_on(reference: str, token_file: Path | None) -> Iterator[_Act]:
    from ila import citizens
    from ila.access.rules import Permission, require

    with open_context("job") as context, context.sessions.begin() as session:
        actor = actor_of(session, token_file)
        require(actor, Permission.MANAGE_CITIZENS)
        citizen_id = citizens.citizen_id_of(session, reference)
        yield _Act(context, session, actor, citizen_id, clock.now(), clock.today(TIME_ZONE))


@commands.command("show", epilog="Example: ila citizens show 3v8kq0m2zr5n9c1x7d4t6w8hjb --personal")
@click.argument("reference")
@click.option("--personal", is_flag=True, help="Decrypt names and identifier too; the look is recorded.")
@click.option("--history", "whole", is_flag=True, help="Show what was known before as well.")
@token_option
@json_option
def show(reference: str, personal: bool, whole: bool, token_file: Path | None, as_json: bool) -> None:
    """Show an account: its facts, needs and working time, and who changed them when."""
    from ila import citizens

    with _act_on(reference, token_file) as act:
        account = citizens.account(act.session, act.citizen_id)
        history = citizens.history_of(act.session, act.citizen_id)
        person = None
        if personal:
            keys = keys_of(act.context)
            person = citizens.personal_detail(act.session, act.actor, act.citizen_id, keys=keys, now=act.now)
    state = {
        "reference": account.reference,
        "status": account.status.value,
        "opened_on": account.opened_on,
        "closed_on": account.closed_on,
        "frozen_at": account.frozen_at,
    }
    shown: dict[str, Any] = dict(state)
    if person is not None:
        state |= {"name": f"{person.given_name} {person.family_name}".strip(), "email": person.email or None}
        state["identifier"] = f"{person.identity.country} {person.identity.type} {person.identity.identifier}"
        shown["person"] = person
    versions = still_known(history, whole)
    shown |= {name: getattr(versions, name) for name in versions.__slots__}

    def render() -> None:
        output.table(["", ""], [[name.replace("_", " "), str(value)] for name, value in state.items() if value])
        render_history(versions, whole)

    output.emit(shown, as_json, render)


@commands.command("attest", epilog="Example: ila citizens attest REF low_qualified --source register --from 2026-01-01")
@click.argument("reference")
@click.argument("criterion")
@click.option("--source", type=click.Choice([source.value for source in EvidenceSource]), required=True)
@click.option("--from", "valid_from", type=day_type, required=True, help="First day on which it holds.")
@click.option("--until", "valid_until", type=day_type, help="First day on which it holds no more; open if not given.")
@token_option
@json_option
def attest(
    reference: str,
    criterion: str,
    source: str,
    valid_from: datetime,
    valid_until: datetime | None,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Attest that a need criterion holds, in place of what was known of it on these days."""
    from ila import citizens
    from ila.citizens.rules import Need

    need = Need(criterion, EvidenceSource(source), valid_from.date(), valid_until.date() if valid_until else NO_END)
    with _act_on(reference, token_file) as act:
        change_no = citizens.attest_need(
            act.session, act.actor, act.citizen_id, need, now=act.now, of_schemes=criteria_of_schemes(act.context)
        )
    _say_change(change_no, as_json)


@commands.command("withdraw", epilog="Example: ila citizens withdraw REF low_qualified --on 2027-03-01")
@click.argument("reference")
@click.argument("criterion")
@click.option("--on", type=day_type, required=True, help="First day on which it holds no more.")
@token_option
@json_option
def withdraw(reference: str, criterion: str, on: datetime, token_file: Path | None, as_json: bool) -> None:
    """Say that an attested need criterion holds no more from a day on."""
    from ila import citizens

    with _act_on(reference, token_file) as act:
        change_no = citizens.withdraw_attestation(
            act.session, act.actor, act.citizen_id, criterion, on=on.date(), now=act.now
        )
    _say_change(change_no, as_json)


@commands.command("correct", epilog="Example: ila citizens correct REF --set income=24000 --from 2026-01-01")
@click.argument("reference")
@click.option(
    "--set",
    "settings",
    metavar="FACT=VALUE",
    multiple=True,
    required=True,
    help="A fact and its true value; repeatable.",
)
@click.option("--from", "valid_from", type=day_type, required=True, help="First day for which this is true.")
@click.option(
    "--until", "valid_until", type=day_type, help="First day for which it is not; all later days if not given."
)
@token_option
@json_option
def correct(
    reference: str,
    settings: tuple[str, ...],
    valid_from: datetime,
    valid_until: datetime | None,
    token_file: Path | None,
    as_json: bool,
) -> None:
    """Correct facts between two days; what was known before stays on record.

    Facts are named and written as in a population file: born_on, resides_here, works_here, national,
    employment_status, qualification_level, income, region, category. Nothing after the = means "not known".
    """
    from ila import citizens
    from ila.citizens.importing import fact_from_text

    changes: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals:
            raise Invalid(f"{setting!r} sets nothing; write it as fact=value, such as income=24000.")
        changes.update([fact_from_text(name.strip(), value.strip())])
    with _act_on(reference, token_file) as act:
        change_no = citizens.correct_facts(
            act.session,
            act.actor,
            act.citizen_id,
            changes,
            valid_from=valid_from.date(),
            valid_until=valid_until.date() if valid_until else NO_END,
            now=act.now,
        )
    _say_change(change_no, as_json)


def _say_change(change_no: int | None, as_json: bool) -> None:
    sentence = (
        "That was known already; nothing was changed." if change_no is None else f"Recorded as change {change_no}."
    )
    output.emit({"fact_change_no": change_no}, as_json, lambda: output.say(sentence))


@commands.command("close", epilog="Example: ila citizens close REF --reason death --on 2026-11-02")
@click.argument("reference")
@click.option("--reason", type=click.Choice([reason.value for reason in ClosingReason]), required=True)
@click.option("--on", type=day_type, help="First day on which the account is closed; today if not given.")
@token_option
@json_option
def close(reference: str, reason: str, on: datetime | None, token_file: Path | None, as_json: bool) -> None:
    """Close an account as from a day; nothing is credited to it from then on."""
    from ila import citizens

    with _act_on(reference, token_file) as act:
        closed_on = on.date() if on else act.today
        citizens.close_account(
            act.session,
            act.actor,
            act.citizen_id,
            on=closed_on,
            reason=ClosingReason(reason),
            today=act.today,
            now=act.now,
        )
    _say_state(reference, "closed", f"The account is closed as from {closed_on}.", as_json)


@commands.command("reopen", epilog="Example: ila citizens reopen REF --on 2026-12-01")
@click.argument("reference")
@click.option("--on", type=day_type, help="First day on which the account is open again; today if not given.")
@token_option
@json_option
def reopen(reference: str, on: datetime | None, token_file: Path | None, as_json: bool) -> None:
    """Open a closed account again as from a day."""
    from ila import citizens

    with _act_on(reference, token_file) as act:
        opened_on = on.date() if on else act.today
        citizens.reopen_account(act.session, act.actor, act.citizen_id, on=opened_on, now=act.now)
    _say_state(reference, "open", f"The account is open again as from {opened_on}.", as_json)


@commands.command("freeze", epilog="Example: ila citizens freeze REF")
@click.argument("reference")
@token_option
@json_option
def freeze(reference: str, token_file: Path | None, as_json: bool) -> None:
    """Forbid every debit from an account until it is unfrozen."""
    from ila import citizens

    with _act_on(reference, token_file) as act:
        citizens.freeze(act.session, act.actor, act.citizen_id, now=act.now)
    _say_state(reference, "frozen", "The account is frozen: nothing can be debited from it.", as_json)


@commands.command("unfreeze", epilog="Example: ila citizens unfreeze REF")
@click.argument("reference")
@token_option
@json_option
def unfreeze(reference: str, token_file: Path | None, as_json: bool) -> None:
    """Allow debits from an account again."""
    from ila import citizens

    with _act_on(reference, token_file) as act:
        citizens.unfreeze(act.session, act.actor, act.citizen_id, now=act.now)
    _say_state(reference, "not frozen", "The account is not frozen.", as_json)


@commands.command("erase", epilog="Example: ila citizens erase REF --yes")
@click.argument("reference")
@click.option("--yes", is_flag=True, help="Do it: the details cannot be brought back.")
@token_option
@json_option
def erase(reference: str, yes: bool, token_file: Path | None, as_json: bool) -> None:
    """Erase the personal details of a closed account for good; ledger, facts and the identifier's hash stay."""
    from ila import citizens

    if not yes:
        raise Invalid("Erased details cannot be brought back; repeat the command with --yes.")
    with _act_on(reference, token_file) as act:
        citizens.erase_personal_detail(act.session, act.actor, act.citizen_id, now=act.now)
    _say_state(reference, "erased", "The personal details of the account are erased.", as_json)


def _say_state(reference: str, state: str, sentence: str, as_json: bool) -> None:
    output.emit({"reference": reference, "state": state}, as_json, lambda: output.say(sentence))
