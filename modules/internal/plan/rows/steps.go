package rows

// Plays of a restore.
const (
	RestoreCheck  = "check" // the backup is read where it is to be put back
	RestoreList   = "list"  // where no backup was named: hosts that list their backups
	RestoreHost   = "host"
	RestoreFence  = "fence"
	RestoreConfig = "config"  // every reachable host: the new token
	RestoreMaster = "masters" // to restart at once; where other hosts join, that run restarts them
)

// Step is a word of the vocabulary in doc.go of package plan.
type Step string

const (
	StepFence           Step = "fence"
	StepPutBack         Step = "put_back"
	StepSnapshot        Step = "snapshot"
	StepFenceSurvivor   Step = "fence_survivor"
	StepBackupConfig    Step = "backup_config"
	StepStopCopy        Step = "stop_copy"
	StepFlags           Step = "flags"
	StepForce           Step = "force"
	StepFinishForce     Step = "finish_force"
	StepRestart         Step = "restart"
	StepUnfenceKeepData Step = "unfence_keep_data"
	StepStart           Step = "start"
	StepStartFirst      Step = "start_first"
	StepMasters         Step = "masters"
	StepRemoveMember    Step = "remove_member"
	StepLeave           Step = "leave"
	StepJoinStarted     Step = "join_started"
	StepRejoin          Step = "rejoin"
	StepBringCA         Step = "bring_ca"
	StepMoveCA          Step = "move_ca"
	StepTakeIn          Step = "take_in"
	StepProbe           Step = "probe"
	StepFinal           Step = "final"
	StepOut             Step = "out"
)

// Sequence is the order of the plays.
var Sequence = []Step{StepFence, StepPutBack, StepSnapshot, StepFenceSurvivor, StepBackupConfig, StepStopCopy, StepFlags, StepRestart, StepUnfenceKeepData, StepStartFirst, StepStart, StepForce, StepFinishForce,
	StepJoinStarted, StepMasters, StepBringCA, StepMoveCA, StepRemoveMember, StepLeave, StepRejoin, StepTakeIn, StepProbe, StepFinal, StepOut}

// StepWords says what a step does, for people and for check mode.
var StepWords = map[Step]string{
	StepFence:           "stop etcd, verify that it is stopped, fence it (data untouched)",
	StepPutBack:         "remove the fence, keep the data, start etcd where it ran before",
	StepSnapshot:        "save a snapshot",
	StepFenceSurvivor:   "stop etcd, verify that it is stopped, fence it until the forced start",
	StepBackupConfig:    "copy /etc/etcd",
	StepStopCopy:        "copy the stopped data, read it in full",
	StepFlags:           "remove leftovers: flags of a forced start from etcd.conf and drop-ins, records of what is done",
	StepForce:           "rehearse, force a new one-member cluster, verify that it takes writes",
	StepFinishForce:     "finish the forced start that was begun, verify one member that takes writes, remove any force flag",
	StepRestart:         "restart etcd without the force flag",
	StepUnfenceKeepData: "remove the fence, keep the data",
	StepStartFirst:      "start etcd, without quorum for now",
	StepStart:           "start etcd together with the others, wait for quorum",
	StepMasters:         "restart API and controllers",
	StepRemoveMember:    "remove this host from the member list",
	StepLeave:           "stop etcd, verify that it is stopped, fence it (data untouched)",
	StepJoinStarted:     "set old data aside, start the member that was added already, wait until it has caught up",
	StepRejoin:          "set data aside, member add, start, wait until it has caught up",
	StepBringCA:         "make the CA's directory again, from a copy on this host",
	StepMoveCA:          "take the CA over from its host, which leaves, encrypted on the way",
	StepTakeIn:          "make etcd.conf and certificates, then member add, start, wait until it has caught up",
	StepProbe:           "put the liveness probe back (etcd restarts once more)",
	StepFinal:           "write the final ETCD_INITIAL_CLUSTER",
	StepOut:             "remove this host from etcdClientInfo.urls, flannel and the inventory's group",
}
