package main

var writerActions = map[string]action{}

func (l *Lab) stopWriter() {}
