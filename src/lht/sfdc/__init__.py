"""The only room that speaks Salesforce's HTTP APIs; it knows no warehouse."""
