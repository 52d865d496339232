// Package force makes one member a cluster of its own, and proves it.
//
// The order of the phases keeps an unforced start of the member impossible until the forced one is proven. A run looks (situation), refuses or
// chooses its next step (refusals), and goes through the phases. A kill at any point is safe: the next run, also after a reboot, finishes.
package force
