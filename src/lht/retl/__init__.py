"""Warehouse rows into Salesforce; the room is laid, its engine is not built yet."""
