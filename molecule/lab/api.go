package main

var apiActions = map[string]action{}
