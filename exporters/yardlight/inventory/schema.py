"""The JSON Schema of an inventory as a person writes it, for editors that complete and check while one types.

It knows single fields. What holds between fields (budgets, classes that exist, one primary) is for `check`.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from yardlight.domains import platforms
from yardlight.inventory import archives, models, retention
from yardlight.inventory.accounts import parse_rate
from yardlight.inventory.models import Fleet, RosterFiles
from yardlight.inventory.values import NUMBER, parse_duration, parse_level, parse_share, parse_size, parse_speed

_TEXT: JsonSchemaValue = {"type": "string"}
# What our own parsers take; pydantic sees only what they make of it.
_WRITTEN: dict[Any, JsonSchemaValue] = {
    parse_duration: {
        "type": "string",
        "pattern": rf"^(\s*{NUMBER}\s*(ms|s|m|h|d|w))+\s*$",
        "examples": ["3s"],
    },
    parse_size: {
        "type": "string",
        "pattern": rf"^\s*{NUMBER}\s*([kKMGT]?B|[KMGT]iB)\s*$",
        "examples": ["50 MB"],
    },
    parse_level: {"type": "string", "pattern": rf"^\s*-?{NUMBER}\s*dBm?\s*$", "examples": ["-115 dBm"]},
    parse_speed: {"type": "string", "pattern": rf"^\s*{NUMBER}\s*[kMG]bit/s\s*$", "examples": ["2 Mbit/s"]},
    parse_rate: {"type": "string", "pattern": rf"^\s*{NUMBER}\s*/\s*\d{{0,15}}\s*[smh]\s*$", "examples": ["100/s"]},
    parse_share: {"type": "string", "pattern": rf"^\s*{NUMBER}\s*%\s*$", "examples": ["5%"]},
    models.parse_target: {
        "oneOf": [
            {"type": "string", "examples": ["198.51.100.1", "tcp://example.com:443"]},
            {
                "type": "object",
                "properties": {"address": _TEXT, "segment": {"enum": ["isp", "far"]}},
                "required": ["address"],
                "additionalProperties": False,
            },
        ]
    },
    models.parse_redirects: {
        "anyOf": [{"enum": ["none", "same_host"]}, {"type": "array", "items": _TEXT}],
    },
    archives.parse_pattern: {"type": "string", "examples": ["{driver}/{date:%Y-%m-%d}.csv"]},
    retention.parse_period: {
        "type": "string",
        "pattern": r"^\s*\d{1,4} ?(day|month|year)s?\s*$",
        "examples": ["6 months"],
    },
    models._days: {"type": "string", "examples": ["mon-fri", "mon,wed,sat"]},
    models._hours: {"type": "string", "pattern": r"^\d\d:\d\d-\d\d:\d\d$", "examples": ["05:00-20:00"]},
}


class _Written(GenerateJsonSchema):
    """Schemas of the text that is parsed, not of the values that come out."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        function: Any = schema["function"]["function"]
        if function is archives.located:
            return {"anyOf": [_TEXT, super().function_before_schema(schema)]}
        written = _WRITTEN.get(function)
        return dict(written) if written else super().function_before_schema(schema)

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:
        return {
            "type": "string",
            "pattern": r"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?$",
            "examples": ["2026-02-03T22:00"],
        }

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        # A default in seconds would teach an editor to write what is refused.
        return self.generate_inner(schema["schema"])


def schema() -> dict[str, Any]:
    """The schema as a dict (JSON Schema 2020-12)."""
    document = Fleet.model_json_schema(schema_generator=_Written)
    parts = document["$defs"]
    for part in (parts["Terminal"], parts["Uplink"]):
        # The name is the key above, and any field may come from a class or from the defaults.
        del part["properties"]["name"], part["required"]
    parts["Uplink"]["properties"]["metered"] = {"anyOf": [{"type": "boolean"}, {"$ref": "#/$defs/Metered"}]}
    nullable_uplink = {"anyOf": [{"$ref": "#/$defs/Uplink"}, {"type": "null"}]}
    parts["Terminal"]["properties"]["uplinks"]["additionalProperties"] = nullable_uplink
    service = {"anyOf": [{"type": "string", "pattern": "^https?://"}, {"$ref": "#/$defs/Service"}]}
    parts["Terminal"]["properties"]["services"]["additionalProperties"] = service
    parts["Standby"]["properties"]["proof"] = service
    # What is validated is what was read from the files.
    for read in ("Roster", "Truck", "Driver", "Tablet", "SimCard", "Account"):
        parts.pop(read, None)
    document["properties"]["roster"] = RosterFiles.model_json_schema(schema_generator=_Written)
    # What else an account takes, its platform says.
    account = {"type": "object", "properties": {"platform": {"enum": sorted(platforms())}}, "required": ["platform"]}
    document["properties"]["accounts"] = {"type": "object", "additionalProperties": account}
    terminal = {"$ref": "#/$defs/Terminal"}
    document["properties"] |= {
        "classes": {"type": "object", "additionalProperties": terminal},
        "defaults": {
            "type": "object",
            "properties": {"terminal": terminal, "uplink": {"$ref": "#/$defs/Uplink"}},
            "additionalProperties": False,
        },
        "include": {"type": "array", "items": _TEXT},
    }
    # An included file has neither a fleet nor, perhaps, terminals.
    del document["required"]
    parts["Terminal"]["properties"]["class"] = _TEXT
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **document,
        "title": "Yardlight inventory",
    }


def schema_json() -> str:
    """The schema as text."""
    return json.dumps(schema(), indent=2)
