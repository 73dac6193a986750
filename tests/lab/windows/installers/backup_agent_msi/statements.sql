INSERT INTO `AppSearch` (`Property`, `Signature_`) VALUES ('LABFAULT', 'LabFault');
INSERT INTO `RegLocator` (`Signature_`, `Root`, `Key`, `Name`, `Type`) VALUES ('LabFault', 2, 'SOFTWARE\OffboardLab\Faults', 'backup_agent_msi', 18);
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('LabFail', 19, '', 'A fault of the lab');
INSERT INTO `CustomAction` (`Action`, `Type`, `Source`, `Target`) VALUES ('LabHang', 18, 'agent.exe', 'hang');
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('AppSearch', '', 50);
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('LabFail', 'LABFAULT="fail" AND REMOVE="ALL"', 1420);
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('LabHang', 'LABFAULT="hang" AND REMOVE="ALL"', 1421);
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('ScheduleReboot', 'LABFAULT="reboot" AND REMOVE="ALL"', 6500);
