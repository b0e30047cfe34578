"""Records in, widgets out: the same front-end core as in JupyterLab's panel."""
