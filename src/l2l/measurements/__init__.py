"""Tables that are not loss curves: what a step costs, which updates are proposed."""
