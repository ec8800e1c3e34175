// Odbxfs mounts Odoo's document folders as a filesystem, and mirrors them to
// Dropbox and back. `odbxfs help` teaches the commands.
//
// The program only wires: package daemon joins store, clients, engine and
// mount; package config reads settings; package control lets commands speak to
// a running daemon; package demo brings its own servers.
package main
