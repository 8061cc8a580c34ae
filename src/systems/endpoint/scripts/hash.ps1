# The files of a backup and of the application it was made from, with the access that they had and have.
param($Parameters)

$backup = [IO.Path]::Combine($Parameters.workDirectory, 'backups', $Parameters.backup)
$files = Join-Path $backup 'files'
if (-not (Test-Path -LiteralPath $files -PathType Container)) { Fail 'UnexpectedState' "the backup $backup does not exist" }
$application = Get-Application $Parameters.site $Parameters.application
@{
    backup   = @(Get-FileList $files)
    deployed = @(Get-FileList $application.physicalPath)
    access   = @{ listed = @((Read-Json (Join-Path $backup 'files.json')).access); found = @(Get-ExplicitAccess $application.physicalPath) }
}
