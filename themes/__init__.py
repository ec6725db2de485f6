"""How the screen looks: the layout in `monitor.tcss`, and one TOML palette a theme."""
