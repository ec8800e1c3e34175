// Package plan is the planner: a pure function of the three trees to tasks.
package plan
