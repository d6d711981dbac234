"""One function for each verb, and the wiring from names in files to an open org and an open warehouse.

The command line, the guide's Python API and `lht`'s own names are thin callers of what is here.
"""
