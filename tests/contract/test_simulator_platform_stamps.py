"""What the platform itself does to records moves SystemModstamp alone, and what it does to definitions moves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lht.testing.caller import Caller


def stamps(api: Caller, record_id: str) -> list[str]:
    found = api.get(f"/sobjects/Account/{record_id}").json()
    return [found[name][11:19] for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp")]


def test_a_dropped_field_moves_system_modstamp_where_it_held_a_value(api: Caller) -> None:
    admin = api.org.admin
    admin.set_clock("2026-05-10T12:00:00Z", frozen=True)
    api.login()
    admin.add_field("Account", "Score__c", "double", precision=18, scale=2)
    scored, other = api.create("Account", Name="a", Score__c=5), api.create("Account", Name="b")

    admin.advance_clock(60)
    admin.drop_field("Account", "Score__c")

    assert stamps(api, scored) == ["12:00:00", "12:00:00", "12:01:00"]
    assert stamps(api, other) == ["12:00:00"] * 3


def test_definitions_formulas_and_rights_move_no_stamp(api: Caller) -> None:
    admin = api.org.admin
    admin.set_clock("2026-05-10T12:00:00Z", frozen=True)
    api.login()
    admin.add_field("Account", "Score__c", "double", precision=18, scale=2)
    admin.add_field("Account", "Twice__c", "double", precision=18, scale=2, formula='"AnnualRevenue" * 2')
    account = api.create("Account", Name="a", AnnualRevenue=2, Score__c=1)

    admin.advance_clock(60)
    admin.alter_field("Account", "Twice__c", formula='"AnnualRevenue" * 3')
    admin.alter_field("Account", "Score__c", help_text="how good")
    admin.hide_field("Account", "Score__c")
    admin.read_only_records("Account", [account])

    assert api.get(f"/sobjects/Account/{account}").json()["Twice__c"] == 6
    assert stamps(api, account) == ["12:00:00"] * 3
