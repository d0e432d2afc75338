"""`python -m monitor.config`: prints the table of settings for the documentation. It reads none of them."""

import sys

from monitor.config.settings import SettingRow, settings_table


def markdown(rows: list[SettingRow]) -> str:
    """The rows as a table; one line a setting."""
    lines = ["| setting | environment | form | default | unit | what it is |", "|---|---|---|---|---|---|"]
    for row in rows:
        cells = (f"`{row.name}`", f"`{row.variable}`", row.type, row.default, row.unit, row.sentence)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(markdown(settings_table()))
