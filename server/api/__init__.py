"""The doors for machines: laptops that sync and enrol, and the JSON API for requests and cases."""
