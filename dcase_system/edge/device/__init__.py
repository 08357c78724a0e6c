"""A whole clip on a microcontroller: the front end in C, and a project that builds."""
