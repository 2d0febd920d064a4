"""Where each MDM's own console shows a device: addresses that people use, by platform."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from yardlight.mdm.platforms import PLATFORMS

SECRETS = {"client_id": "c", "client_secret_file": "s"}
ACCOUNTS: dict[str, dict[str, Any]] = {
    "intune": {**SECRETS, "tenant": "contoso"},
    "jamf": {**SECRETS, "url": "https://acme.jamfcloud.com/"},
    "soti_mobicontrol": {**SECRETS, "url": "https://a1.mobicontrol.cloud", "username": "u", "password_file": "p"},
    "workspace_one": {
        "url": "https://as135.awmdm.com", "tenant_code_file": "t", "username": "u", "password_file": "p",
    },
}  # fmt: skip
BLADE = "#view/Microsoft_Intune_Devices/DeviceSettingsMenuBlade/~/overview/mdmDeviceId"


def console(platform: str, id_: str, **more: Any) -> str:
    module = import_module(PLATFORMS[platform])
    link: str = module.console(module.Config.model_validate({**ACCOUNTS[platform], **more}), id_)
    return link


@pytest.mark.parametrize(
    ("platform", "id_", "expected"),
    [
        ("intune", "guid", f"https://intune.microsoft.com/{BLADE}/guid"),
        ("jamf", "mobile 12", "https://acme.jamfcloud.com/mobileDevices.html?id=12&o=r"),
        ("jamf", "computer 7", "https://acme.jamfcloud.com/computers.html?id=7&o=r"),
        (
            "soti_mobicontrol",
            "a/1",
            "https://a1.mobicontrol.cloud/MobiControl/WebConsole/home/devices/a%2F1/DeviceDetails",
        ),
        ("workspace_one", "12", "https://cn135.awmdm.com/AirWatch/#/AirWatch/Device/Details/Summary/12"),
    ],
)
def test_a_device_has_a_page_in_its_console(platform: str, id_: str, expected: str) -> None:
    assert console(platform, id_) == expected


def test_a_console_of_ones_own_is_where_its_api_is() -> None:
    assert console("workspace_one", "1", url="https://uem.acme.com").startswith("https://uem.acme.com/AirWatch/#/")


def test_a_national_cloud_has_its_own_console_and_an_unknown_one_none() -> None:
    assert console("intune", "guid", url="https://graph.microsoft.us") == f"https://intune.microsoft.us/{BLADE}/guid"
    assert console("intune", "guid", url="https://graph.example.cn") == ""


def test_where_there_is_no_console_none_is_made_up() -> None:
    assert not hasattr(import_module(PLATFORMS["android_management"]), "console")
