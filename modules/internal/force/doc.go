// Package force makes one member a cluster of its own, and proves it.
//
// The order of its phases is such that the unforced start of the member stays impossible until the forced one is proven. A run looks
// (situation), refuses or chooses its next step (refusals), and goes through the phases; each of them can be killed anywhere, and a
// further run, also after a reboot, finishes.
package force
